import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { appendJsonLine, readJsonLines, writeJsonLines } from "./json-lines.ts";

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

test("a last line that was cut off is dropped", () => {
  const path = join(folder, "torn.jsonl");
  writeJsonLines(path, [{ n: 1 }]);
  appendFileSync(path, '{"n":');
  expect(readJsonLines(path, Row)).toEqual([{ n: 1 }]);
  expect(readFileSync(path, "utf8")).toBe('{"n":1}\n{"n":');
});

test.each([
  ['{"n":', /line 2: .*correct or delete that line/],
  ['{"n":"x"}', /line 2: n: .*expected number/],
])("any other line that is no record is named: %s", (line, sentence) => {
  const path = join(folder, "bad.jsonl");
  writeJsonLines(path, [{ n: 1 }]);
  appendFileSync(path, `${line}\n`);
  expect(() => readJsonLines(path, Row)).toThrow(DataError);
  expect(() => readJsonLines(path, Row)).toThrow(sentence);
});
