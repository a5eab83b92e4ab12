import { expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { parseCsv } from "./csv.ts";

test("rows are lines and fields lie between commas, quoted ones with whatever in them", () => {
  expect(parseCsv('\uFEFFclip,caption\r\na.mp4,"a fox, ""red""\nand small"\nb.mp4,\n\n,x')).toEqual(
    [
      ["clip", "caption"],
      ["a.mp4", 'a fox, "red"\nand small'],
      ["b.mp4", ""],
      ["", "x"],
    ],
  );
});

test("a file that ends in the middle of a row, or after a comma, has that row", () => {
  expect(parseCsv("a,b")).toEqual([["a", "b"]]);
  expect(parseCsv("a,")).toEqual([["a", ""]]);
  expect(parseCsv("")).toEqual([]);
});

test.each(['a,"b', 'a,b"c"'])("a stray quote is refused by its line: %s", (row) => {
  expect(() => parseCsv(`x,y\n${row}`)).toThrow(
    new DataError("line 2: expected fields between commas, got a stray quote"),
  );
});
