import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { writeMiniature } from "../../../test/support/tgve-miniature.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { tgveLines } from "./batch-lines.ts";
import { editPath, readTgveDataset } from "./dataset.ts";
import { parsePlusTable, PLUS_COLUMNS } from "./plus-table.ts";

const root = temporaryFolder();
await writeMiniature(root);
const kinds = ["style", "object", "background", "multiple"];

/** A file in the folder. */
function written(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

/** A row of TGVE+. */
function row(task: string, instruction: string, video = "DAVIS_480p/480p_videos/gold-fish.mp4") {
  const captions = { input_caption: "a red cat", output_caption: `${instruction}!` };
  return { video, task, instruction, ...captions };
}

const lines = (rows: readonly unknown[]): string =>
  rows.map((one) => JSON.stringify(one)).join("\n");

test("an edit of the benchmark becomes a line that makes its part of a submission", async () => {
  const own = (name: string) => [
    name,
    Object.fromEntries(kinds.map((kind) => [`edit_${kind}`, ` make ${name} ${kind} `])),
  ];
  const all = Object.fromEntries(["gold-fish", "salsa", "lotus"].map(own));
  const instructions = written("instructions.json", JSON.stringify(all));
  const told = tgveLines(await readTgveDataset(root, { instructions }));
  expect(told).toHaveLength(12);
  expect(told[1]).toEqual({
    input: join(root, "DAVIS_480p", "480p_frames", "gold-fish"),
    instruction: "make gold-fish object",
    caption: "a fox",
    task: "object",
    output: "DAVIS_480p/gold-fish/object/",
    pictures: "tgve",
  });
  const [first] = tgveLines(await readTgveDataset(root));
  expect(first).toMatchObject({ instruction: "a red cat in the snow, blue", task: "style" });
});

test("a video without its frames is edited as a file, and one that is not there is named", async () => {
  const dataset = await readTgveDataset(root);
  const [first, ...others] = dataset.videos;
  const elsewhere = { ...dataset, root: join(root, "videos") };
  const folder = join(elsewhere.root, "DAVIS_480p", "480p_videos");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "gold-fish.mp4"), "");
  const [line] = tgveLines({ ...elsewhere, videos: [first!] });
  expect(line!.input).toBe(join(folder, "gold-fish.mp4"));
  expect(() => tgveLines({ ...elsewhere, videos: others })).toThrow(UserError);
  expect(() => tgveLines({ ...elsewhere, videos: others })).toThrow(
    /neither .*480p_frames\/salsa nor .*480p_videos\/salsa\.mp4 exists/,
  );
});

test("TGVE+ has several edits of a kind of one video, each with a folder of its own", async () => {
  const other = row("style", "make it blue", "loveu-tgve-2023/videvo_480p/480p_frames/lotus");
  const rows = [row("Remove", "away"), row("style", "make it red"), row("remove", "off"), other];
  const plus = written("plus.jsonl", `${lines(rows)}\n`);
  const { videos } = await readTgveDataset(root, { plus });
  const places = videos.flatMap((video) => video.edits.map((edit) => editPath(video, edit)));
  expect(places).toEqual([
    "DAVIS_480p/gold-fish/remove-1",
    "DAVIS_480p/gold-fish/style",
    "DAVIS_480p/gold-fish/remove-2",
    "videvo_480p/lotus/style",
  ]);
  const told = tgveLines({ root, videos });
  expect(told[2]).toMatchObject({ instruction: "off", caption: "off!", task: "remove" });
});

test("columns of TGVE+ may have other names, and the task may be missing", () => {
  const { input_caption: before, output_caption: after, task: _, ...others } = row("", "away");
  const renamed = { ...others, before, after };
  const columns = { ...PLUS_COLUMNS, input: "before", output: "after" };
  const [video] = parsePlusTable(lines([renamed, renamed]), "a file", columns);
  expect(video!.edits.map(({ folder, input }) => [folder, input])).toEqual([
    ["edit-1", "a red cat"],
    ["edit-2", "a red cat"],
  ]);
  const wrong = () => parsePlusTable(lines([renamed]), "a file", PLUS_COLUMNS);
  expect(wrong).toThrow(DataError);
  expect(wrong).toThrow(
    'a file, line 1: expected text under "input_caption", got no such column; the row has video, instruction, before, after: say which is which by --columns input=<name>',
  );
});

test.each([
  ["no JSON", "nonsense", /a file, line 1: expected a JSON object/],
  [
    "a path elsewhere",
    lines([row("add", "a hat", "else/where.mp4")]),
    /in DAVIS_480p, .*, got else/,
  ],
  ["a path up", lines([row("add", "a hat", "DAVIS_480p/..")]), /expected the path of a video/],
  [
    "the video itself",
    lines([{ ...row("add", "a hat"), video: { bytes: "A".repeat(1000) } }]),
    /got \{"bytes":"A{50}; the row has/,
  ],
  ["no text", lines([row("add", " ")]), /expected text under "instruction", got " "/],
])("a row of TGVE+ with %s is refused", (_, text, sentence) => {
  expect(() => parsePlusTable(text, "a file", PLUS_COLUMNS)).toThrow(DataError);
  expect(() => parsePlusTable(text, "a file", PLUS_COLUMNS)).toThrow(sentence);
});

test("says what to do about files of another kind", async () => {
  const parquet = written("plus.parquet", "PAR1…");
  const asPublished = readTgveDataset(root, { plus: parquet });
  await expect(asPublished).rejects.toThrow(UserError);
  await expect(asPublished).rejects.toThrow(/is Parquet: turn it into JSON lines .*read_parquet/);
  const instructions = written("few.json", '{"gold-fish": {"edit_style": "make it red"}}');
  const few = readTgveDataset(root, { instructions });
  await expect(few).rejects.toThrow(DataError);
  await expect(few).rejects.toThrow('expected an instruction "edit_object" for gold-fish');
  const both = readTgveDataset(root, { instructions, plus: parquet });
  await expect(both).rejects.toThrow("TGVE+ has instructions of its own");
  const bytes = written("LOVEU-TGVE-2023_Dataset.csv", Uint8Array.of(0xff, 0xfe, 0x93));
  await expect(readTgveDataset(root)).rejects.toThrow(`${bytes} is no text in UTF-8`);
  rmSync(bytes);
});
