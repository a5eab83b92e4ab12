import { copyFile, open, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  audioPackets,
  type ClipFolder,
  clipFolder,
  framesOf,
  makeClip,
} from "../../../test/support/clips.ts";
import type { Chapter } from "./chapter.ts";
import { readMatroskaChapters } from "./chapters-matroska.ts";
import { checkOutput } from "./outputs.ts";
import { probeVideo } from "./probe.ts";
import { readFrames } from "./reader.ts";
import { writeEdited } from "./writer.ts";

const golden = (name: string): string => `test/golden/chapters/${name}`;
const millisecond = 1_000_000n;
const book: readonly Chapter[] = [
  { start: 0n, end: 240n * millisecond, title: "Opening" },
  { start: 240n * millisecond, end: 400n * millisecond, title: "Der Fuchs läuft" },
  { start: 400n * millisecond, end: 600n * millisecond, title: "終わり" },
];
const withoutEnds = (chapters: readonly Chapter[]) =>
  chapters.map(({ start, title }) => ({ start, end: null, title }));

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("chapters that other programs wrote", () => {
  test.each(["book.mp4", "book.mov", "book.mkv"])("are read from %s", async (name) => {
    expect(await probeVideo(golden(name))).toMatchObject({ chapters: book, others: [] });
  });

  test("are found behind the pictures, the first list of them, and what is more is said", async () => {
    const source = await probeVideo(golden("late.mkv"));
    expect(source.chapters).toEqual([
      { start: 0n, end: 240_000_001n, title: "Opening" },
      { start: 240_000_001n, end: null, title: "Der Fuchs läuft" },
    ]);
    expect(await checkOutput(source, folder.file("late.mkv"))).toEqual([
      "late.mkv also has chapters within chapters and a further list of chapters, which no edit carries: left out",
    ]);
  });
});

describe("chapters at times that nobody can have meant", () => {
  /** `book.mkv` with other bytes in the place of those of its second chapter's start and end. */
  async function bookWith(name: string, times: string): Promise<string> {
    const path = folder.file(name);
    const bytes = await readFile(golden("book.mkv"));
    bytes.write(times, bytes.indexOf("91840e4e1c00928417d78400", "hex"), "hex");
    await writeFile(path, bytes);
    return path;
  }

  test.each([
    ["more bytes than a number has", `918a${"ff".repeat(10)}`, [0n]],
    ["a time after all others", `9188${"ff".repeat(8)}ec80`, []],
    ["a time that Nero's table alone can hold", `91887ffffffffffffffaec80`, [2n ** 63n - 6n]],
  ])("as %s are left out or begin with the video", async (what, times, starts) => {
    const [path, output] = [await bookWith(`${what}.mkv`, times), folder.file(`${what}.mp4`)];
    const source = await probeVideo(path);
    const found = source.chapters.filter(({ title }) => title === "Der Fuchs läuft");
    expect(found.map(({ start }) => start)).toEqual(starts);
    await writeEdited(source, output, readFrames(path));
    expect((await probeVideo(output)).chapters).toHaveLength(source.chapters.length);
  });

  test("are found by the seek head where an element ends beyond what any file has", async () => {
    const path = folder.file("endless.mkv");
    const bytes = await readFile(golden("book.mkv"));
    bytes.write("01fffffffffffffe", bytes.indexOf("ec0100000000000044", "hex") + 1, "hex");
    await writeFile(path, bytes);
    await using file = await open(path);
    expect(await readMatroskaChapters(file)).toEqual({ chapters: book, others: [] });
  });
});

describe("an edit", () => {
  test.each([
    ["book.mkv", "mkv", book],
    ["book.mov", "mkv", book],
    ["book.mkv", "mp4", withoutEnds(book)],
    ["book.mp4", "mov", withoutEnds(book)],
  ])("of %s as %s has its chapters", async (name, extension, expected) => {
    const output = folder.file(`${name}.${extension}`);
    const source = await probeVideo(golden(name));
    expect(await checkOutput(source, output)).toEqual([]);
    await writeEdited(source, output, readFrames(source.path), { metadata: { comment: "{}" } });
    const written = await probeVideo(output);
    expect(written.chapters).toEqual(expected);
    expect(written.others).toEqual([]);
    const times = (await framesOf(output)).map(({ ptsSeconds }) => ptsSeconds);
    expect(times).toEqual((await framesOf(source.path)).map(({ ptsSeconds }) => ptsSeconds));
  });

  test("has its sound where the index before it grew by chapters", async () => {
    const [path, output] = [folder.file("loud.mp4"), folder.file("loud-out.mp4")];
    await makeClip(path, { audio: "aac" });
    const source = { ...(await probeVideo(path)), chapters: book };
    await writeEdited(source, output, readFrames(path));
    expect((await probeVideo(output)).chapters).toEqual(withoutEnds(book));
    expect(await audioPackets(output)).toEqual(await audioPackets(path));
  });

  test.each(["webm", "avi", "gif"])("as %s says that they are left out", async (extension) => {
    const source = await probeVideo(golden("book.mp4"));
    expect(await checkOutput(source, folder.file(`out.${extension}`))).toContainEqual(
      expect.stringMatching(/ has no chapters: those of book\.mp4 are left out$/),
    );
  });

  test("as mp4 says which of many long ones it cannot hold, and keeps the rest", async () => {
    const path = folder.file("many.mp4");
    await copyFile(golden("book.mp4"), path);
    const chapters = Array.from({ length: 300 }, (_, index) => ({
      start: BigInt(index) * millisecond + 149n,
      end: null,
      title: index === 7 ? "ä".repeat(200) : `${index}`,
    }));
    const source = { ...(await probeVideo(path)), chapters };
    const output = folder.file("many-out.mp4");
    expect(await checkOutput(source, output)).toEqual([
      "MP4 holds 255 chapters: the last 45 are left out",
      "MP4 holds chapter titles of 255 bytes: longer ones are cut",
    ]);
    await writeEdited(source, output, readFrames(path));
    const written = (await probeVideo(output)).chapters;
    expect(written).toHaveLength(255);
    expect(written[7]).toEqual({
      start: 7n * millisecond + 100n,
      end: null,
      title: "ä".repeat(127),
    });
  });
});

describe("interlaced video", () => {
  test("is noticed by its first pictures, and what is done with it is said", async () => {
    const source = await probeVideo(golden("fields.mp4"));
    expect(source.isInterlaced).toBe(true);
    expect(await checkOutput(source, folder.file("fields-out.mp4"))).toEqual([
      "fields.mp4 is interlaced: both fields of a picture are edited as one and stored as progressive; deinterlace it first for clean edges",
    ]);
    expect((await probeVideo(golden("book.mp4"))).isInterlaced).toBe(false);
  });

  test("is read, both fields of a picture as one", async () => {
    const { width, height } = await probeVideo(golden("fields.mp4"));
    let count = 0;
    for await (const { rgb } of readFrames(golden("fields.mp4"))) {
      expect(rgb).toHaveLength(width * height * 3);
      count++;
    }
    expect(count).toBeGreaterThan(0);
  });
});
