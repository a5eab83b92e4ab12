import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sampleScene } from "../data/world/sample.ts";
import { writeSamples } from "./world-samples.ts";

test("each scene gives a clip, a strip and the record it was drawn from", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-samples-"));
  const options = { split: "validation", first: 7, count: 2, frames: 3, size: 32 } as const;
  const records: string[] = [];
  for await (const { record } of writeSamples(folder.path, options)) records.push(record);
  expect((await readdir(folder.path)).toSorted()).toEqual([
    "validation-000007.json",
    "validation-000007.mp4",
    "validation-000007.png",
    "validation-000008.json",
    "validation-000008.mp4",
    "validation-000008.png",
  ]);
  const record: unknown = JSON.parse(await readFile(records[1]!, "utf8"));
  expect(JSON.stringify(record)).toBe(JSON.stringify(sampleScene("validation", 8)));
});
