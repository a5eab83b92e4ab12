import { expect, test } from "vitest";
import { jsonInText } from "./json-in-text.ts";

test.each([
  ['{"a":1}', [{ a: 1 }]],
  ["[1,[2]] and {}", [[1, [2]], {}]],
  [
    '<think>{tasks}, say {"a": ...}</think>\n```json\n{"a": {"b": "}"}}\n```\n{smile}',
    [{ a: { b: "}" } }],
  ],
  ['an open { and then {"a":"\\"{"}', [{ a: '"{' }]],
  ['{"a":[1,', []],
  ["", []],
])("JSON is found among words and stray brackets: %s", (text, values) => {
  expect(jsonInText(text)).toEqual(values);
});
