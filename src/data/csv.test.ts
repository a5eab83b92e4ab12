import { describe, expect, test } from "vitest";
import { DataError } from "../engine/errors.ts";
import { parseCsv } from "./csv.ts";

describe("parseCsv", () => {
  test.each([
    {
      what: "plain cells",
      text: "a,b\nc,d\n",
      rows: [
        ["a", "b"],
        ["c", "d"],
      ],
    },
    {
      what: "no last new line",
      text: "a,b\r\nc,d",
      rows: [
        ["a", "b"],
        ["c", "d"],
      ],
    },
    {
      what: "empty cells",
      text: ",,\n,x,\n",
      rows: [
        ["", "", ""],
        ["", "x", ""],
      ],
    },
    { what: "an empty line", text: "a\n\nb\n", rows: [["a"], ["b"]] },
    { what: "an empty line in quotes", text: '"",\n""\n', rows: [["", ""], [""]] },
    { what: "line breaks of every kind", text: "a\rb\r\nc\n", rows: [["a"], ["b"], ["c"]] },
    { what: "a comma at the end", text: "a,", rows: [["a", ""]] },
    { what: "commas in quotes", text: '"a, b",c\n', rows: [["a, b", "c"]] },
    { what: "quotes in quotes", text: '"say ""hi""",""\n', rows: [['say "hi"', ""]] },
    { what: "line breaks in quotes", text: '"a\nb",c\n', rows: [["a\nb", "c"]] },
    { what: "a byte order mark", text: "\uFEFFa,b\n", rows: [["a", "b"]] },
    { what: "nothing", text: "", rows: [] },
  ])("reads $what", ({ text, rows }) => {
    expect(parseCsv(text, "a table").map(({ cells }) => cells)).toEqual(rows);
  });

  test("tells in which line of the text a row begins", () => {
    const rows = parseCsv('a\n\n"b\nb",c\r\rd', "a table");
    expect(rows.map(({ line }) => line)).toEqual([1, 3, 6]);
  });

  test("says in which line a quote is wrong", () => {
    const message =
      "a table, line 2: expected cells between commas, got a stray quote, or one that is never closed";
    for (const text of ['a\n"b', 'a\nb"c', 'a\n"b" c']) {
      expect(() => parseCsv(text, "a table")).toThrow(DataError);
      expect(() => parseCsv(text, "a table")).toThrow(message);
    }
  });
});
