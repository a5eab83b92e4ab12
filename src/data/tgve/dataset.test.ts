import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError, UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import {
  MINIATURE_TABLE,
  writeFrames,
  writeMiniature,
} from "../../../test/support/tgve-miniature.ts";
import { editedFrames, inputFrames, readTgveDataset } from "./dataset.ts";
import { parseTgveTable } from "./table.ts";

/** An edit of a kind of which its video has one, without an instruction. */
function named(kind: string) {
  return { kind, folder: kind, instruction: null };
}

describe("parseTgveTable", () => {
  test("finds videos by the markers of their sections", () => {
    const videos = parseTgveTable(MINIATURE_TABLE, "a table");
    expect(videos.map(({ set, name }) => `${set}/${name}`)).toEqual([
      "DAVIS_480p/gold-fish",
      "youtube_480p/salsa",
      "videvo_480p/lotus",
    ]);
    const input = "a red cat, in the snow";
    expect(videos[0]!.edits).toEqual([
      { ...named("style"), input, output: "a red cat in the snow, blue" },
      { ...named("object"), input, output: "a fox" },
      { ...named("background"), input, output: "a cat in the snow" },
      { ...named("multiple"), input, output: "a blue fox" },
    ]);
    expect(videos[2]!.edits[0]!.output).toBe('a "red" hat');
  });

  test("reads columns by their names, in any order, and more rows of a section", () => {
    const [header = "", ...rows] = MINIATURE_TABLE.split("\n");
    const swapped = header.replace("Video name,Our GT caption", "Our GT caption,Video name");
    const more = [swapped, rows[0], "a boat,ship,1,2,3,4", "a car,wagon,5,6,7,8"].join("\r\n");
    const videos = parseTgveTable(more, "a table");
    expect(videos.map(({ name, edits }) => [name, edits[0]!.input])).toEqual([
      ["ship", "a boat"],
      ["wagon", "a car"],
    ]);
    expect(videos[1]!.edits.map(({ output }) => output)).toEqual(["5", "6", "7", "8"]);
  });

  test.each([
    {
      what: "columns that are missing",
      from: "Style Change Caption",
      to: "Style",
      message:
        /a table: expected columns named Style Change Caption in the first row, got Video name/,
    },
    {
      what: "a caption that is missing",
      from: "a fox,",
      to: ",",
      message: /a table, line 3: expected text under "Object Change Caption", got nothing/,
    },
    {
      what: "a video before any section",
      from: "DAVIS Videos:,,,,,",
      to: ",,,,,",
      message: /a table, line 3: expected "DAVIS Videos:" or another section first/,
    },
    {
      what: "a name that leads elsewhere",
      from: "gold-fish",
      to: "../gold-fish",
      message: /line 3: expected the name of a folder as Video name, got \.\.\/gold-fish/,
    },
    {
      what: "a video twice",
      from: "Youtube Videos:,,,,,\nsalsa",
      to: "gold-fish",
      message: /a table lists DAVIS_480p\/gold-fish twice/,
    },
  ])("refuses $what", ({ from, to, message }) => {
    const broken = MINIATURE_TABLE.replace(from, to);
    expect(broken).not.toBe(MINIATURE_TABLE);
    expect(() => parseTgveTable(broken, "a table")).toThrow(DataError);
    expect(() => parseTgveTable(broken, "a table")).toThrow(message);
  });
});

describe("readTgveDataset", () => {
  const root = temporaryFolder();

  test("finds frames in the benchmark's layout and in a submission's", async () => {
    await writeMiniature(root);
    const dataset = await readTgveDataset(root);
    const [video] = dataset.videos;
    const frames = await inputFrames(dataset, video!);
    expect(frames.map((path) => basename(path))).toEqual(
      Array.from({ length: 8 }, (_, index) => `0000${index}.jpg`),
    );
    const submission = join(root, "edits");
    await writeFrames(join(submission, "DAVIS_480p", "gold-fish", "style"), 3);
    writeFileSync(join(submission, "DAVIS_480p", "gold-fish", "style", "notes.txt"), "");
    const [style, object] = video!.edits;
    expect(await editedFrames(submission, video!, style!)).toHaveLength(8);
    expect(await editedFrames(submission, video!, object!)).toBeUndefined();
  });

  test("says which folder is wrong", async () => {
    const empty = join(root, "empty");
    mkdirSync(empty);
    await expect(readTgveDataset(empty)).rejects.toThrow(UserError);
    await expect(readTgveDataset(empty)).rejects.toThrow(
      "LOVEU-TGVE-2023_Dataset.csv cannot be read: give the folder that the TGVE archive was unpacked to",
    );
    const [video] = parseTgveTable(MINIATURE_TABLE, "a table");
    const dataset = { root: empty, videos: [video!] };
    await expect(inputFrames(dataset, video!)).rejects.toThrow(UserError);
    mkdirSync(join(empty, "DAVIS_480p", "480p_frames", "gold-fish"), { recursive: true });
    await expect(inputFrames(dataset, video!)).rejects.toThrow(
      "gold-fish: expected frames named 00000.jpg and on, got nothing",
    );
  });
});
