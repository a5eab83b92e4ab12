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

test("a line that holds what nobody would print is said in short", async () => {
  const path = join(temporaryFolder(), "edits.jsonl");
  const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
  writeFileSync(path, [deep, JSON.stringify("a".repeat(10_000))].join("\n"));
  for (const line of await readBatch(path, "results"))
    expect(line).toHaveProperty("problem", expect.stringMatching(/^expected .{0,400}$/));
});

test("a file may begin with a byte-order mark; one that is no UTF-8 is refused", async () => {
  const path = join(temporaryFolder(), "edits.jsonl");
  const line = '{"input": "a.mp4", "instruction": "make it snow"}';
  writeFileSync(path, `\uFEFF${line}\n`);
  expect(await readBatch(path, "results")).toMatchObject([{ isReadable: true, video: "a.mp4" }]);
  writeFileSync(path, `\uFEFF${line}\n`, "utf16le");
  await expect(readBatch(path, "results")).rejects.toThrow(/edits\.jsonl is no text in UTF-8/);
});

test("a line that would write over a file of one before is refused, whatever the file is", async () => {
  const path = join(temporaryFolder(), "edits.jsonl");
  const edit = { input: "a.mp4", instruction: "make it snow" };
  const lines = [
    { ...edit, output: "one.mp4", compare: "beside.mp4", changeMap: "map.mp4" },
    { ...edit, output: "two.mp4", compare: "beside.mp4" },
    { ...edit, output: "three.mp4", changeMap: "./map.mp4" },
    { ...edit, output: "beside.mp4" },
    { ...edit, output: "two.mp4", compare: "two-beside.mp4" },
  ];
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const read = await readBatch(path, "results");
  expect(read.map((line) => (line.isReadable ? line.output : line.problem))).toEqual([
    "results/one.mp4",
    "line 1 writes results/beside.mp4 already: give another compare",
    "line 1 writes results/map.mp4 already: give another changeMap",
    "line 1 writes results/beside.mp4 already: give another output",
    "results/two.mp4",
  ]);
});

test("a line that would write over another's input is refused", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "edits.jsonl");
  const [a, b] = [join(folder, "a.mp4"), join(folder, "b.mp4")];
  const lines = [
    { input: a, instruction: "make it snow", output: "b.mp4" },
    { input: b, instruction: "make it snow", output: "c.mp4", compare: "a.mp4" },
    { input: b, instruction: "make it snow", output: "d.mp4" },
  ];
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const read = await readBatch(path, folder);
  expect(read.map((line) => (line.isReadable ? line.output : line.problem))).toEqual([
    `${b} is the input of line 3: give another output`,
    `${a} is the input of line 1: give another compare`,
    join(folder, "d.mp4"),
  ]);
});
