import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
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
    { what: "an empty line", text: "a\n\nb\n", rows: [["a"], [""], ["b"]] },
    { what: "a comma at the end", text: "a,", rows: [["a", ""]] },
    { what: "commas in quotes", text: '"a, b",c\n', rows: [["a, b", "c"]] },
    { what: "quotes in quotes", text: '"say ""hi""",""\n', rows: [['say "hi"', ""]] },
    { what: "line breaks in quotes", text: '"a\nb",c\n', rows: [["a\nb", "c"]] },
    { what: "a byte order mark", text: "\uFEFFa,b\n", rows: [["a", "b"]] },
    { what: "nothing", text: "", rows: [] },
  ])("reads $what", ({ text, rows }) => {
    expect(parseCsv(text, "a table")).toEqual(rows);
  });

  test("says in which row a quote is wrong", () => {
    const message = "a table: expected a comma or a new line after a cell of row 2, got a stray or";
    for (const text of ['a\n"b', 'a\nb"c', 'a\n"b" c']) {
      expect(() => parseCsv(text, "a table")).toThrow(DataError);
      expect(() => parseCsv(text, "a table")).toThrow(message);
    }
  });
});
