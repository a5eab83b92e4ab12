import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { appendJsonLine, readGrownJsonLines, readJsonLines, writeJsonLines } from "./json-lines.ts";

const folder = temporaryFolder();
const Row = z.strictObject({ n: z.number() });

test("records come back in order, written together or one by one; nothing else stays in the folder", () => {
  const path = join(folder, "rows.jsonl");
  expect(readJsonLines(path, Row)).toEqual([]);
  writeJsonLines(path, [{ n: 1 }, { n: 2 }]);
  appendJsonLine(path, { n: 3 });
  expect(readJsonLines(path, Row)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(readdirSync(folder)).toEqual(["rows.jsonl"]);
});

test("a last line without its end is a record, and so is one behind a byte-order mark", () => {
  const path = join(folder, "typed.jsonl");
  writeFileSync(path, '\uFEFF{"n":1}\r\n{"n":2}');
  for (const read of [readJsonLines, readGrownJsonLines])
    expect(read(path, Row)).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a last line that was cut off is dropped from a file that grows, and named in any other", () => {
  const path = join(folder, "torn.jsonl");
  writeJsonLines(path, [{ n: 1 }]);
  appendFileSync(path, '{"n":');
  expect(readGrownJsonLines(path, Row)).toEqual([{ n: 1 }]);
  expect(readFileSync(path, "utf8")).toBe('{"n":1}\n{"n":');
  expect(() => readJsonLines(path, Row)).toThrow(/torn\.jsonl, line 2: it is no JSON;/);
});

test.each([
  ['{"n":', /line 2: it is no JSON; correct or delete that line/],
  ['{"n":"x"}', /line 2: n: .*expected number/],
])("any other line that is no record is named: %s", (line, sentence) => {
  const path = join(folder, "bad.jsonl");
  writeJsonLines(path, [{ n: 1 }]);
  appendFileSync(path, `${line}\n`);
  for (const read of [readJsonLines, readGrownJsonLines]) {
    expect(() => read(path, Row)).toThrow(DataError);
    expect(() => read(path, Row)).toThrow(sentence);
  }
});

test("a folder is named as one", () => {
  for (const read of [readJsonLines, readGrownJsonLines]) {
    expect(() => read(folder, Row)).toThrow(UserError);
    expect(() => read(folder, Row)).toThrow(`${folder} is a folder: name a file`);
  }
});
