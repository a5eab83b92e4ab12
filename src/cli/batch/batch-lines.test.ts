import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readBatch } from "./batch-lines.ts";

test.each([
  ['{"video": "a.mp4", "instruction": "x"}', 'got nothing for "input"'],
  ['{"input": "a.mp4", "instruction": "x", "codec": 5}', 'got 5 for "codec"'],
  ["[1]", "got [1]"],
  ["null", "got null"],
  ["nonsense", "got no JSON"],
])("of the line %s it is said what came", async (line, got) => {
  const path = join(temporaryFolder(), "edits.jsonl");
  writeFileSync(path, `${line}\n`);
  const [read] = await readBatch(path, "results");
  expect(read).toMatchObject({ number: 1, isReadable: false });
  expect(read).toHaveProperty("problem", expect.stringMatching(/^expected /));
  expect(read).toHaveProperty("problem", expect.stringContaining(got));
});
