import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureOf } from "../../src/cli/failure.ts";
import { probeVideo } from "../../src/data/video/probe.ts";
import { Editor } from "../../src/editing/editor.ts";
import { type ClipFolder, clipFolder, makeClip } from "../support/clips.ts";
import { copyingModel } from "../support/copying-model.ts";

// What no camera writes, but disks, networks and enemies do: each gives one sentence or a whole result, in seconds,
// and nothing on the disk that was not there.

let folder: ClipFolder;
const long = Array.from({ length: 60 }, (_, index) => index * 512);
beforeAll(async () => {
  folder = await clipFolder();
  await makeClip(folder.file("good.mp4"), { ticks: long, audio: "aac" });
  await makeClip(folder.file("good.mkv"), { ticks: long });
  await makeClip(folder.file("good.avi"), { ticks: long });
  await makeClip(folder.file("good.gif"));
  await makeClip(folder.file("good.webm"), { ticks: long });
});
afterAll(() => folder[Symbol.asyncDispose]());

const good = (extension: string): Promise<Buffer> => readFile(folder.file(`good.${extension}`));

/** Bytes that look like noise, the same every time. */
function noise(length: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length }, (_, at) => ((at * 2_654_435_761 + 12_345) >>> 13) % 256),
  );
}

/** A copy with bytes replaced from `at`. */
function patched(bytes: Buffer, at: number, by: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  by.copy(copy, at);
  return copy;
}

/** Where a box's or chunk's four letters stand. */
const placeOf = (bytes: Buffer, letters: string): number => bytes.indexOf(letters, 0, "latin1");

type Make = () => Promise<Buffer>;
/** A name, what is in it, and the sentence it gives; none where it can be edited all the same. */
const files: readonly (readonly [
  name: string,
  what: string,
  make: Make,
  sentence: RegExp | null,
])[] = [
  ["zero.mp4", "nothing", async () => Buffer.alloc(0), /is empty \(0 bytes\)/],
  ["text.mp4", "a letter", async () => Buffer.from("Dear video, ".repeat(400)), /is not a video/],
  ["noise.mp4", "noise", async () => noise(50_000), /is not a video/],
  [
    "page.mp4",
    "a web page",
    async () => Buffer.from(`<html>${"<p>".repeat(900)}`),
    /is not a video/,
  ],
  ["archive.mkv", "an archive", async () => deflateRawSync(noise(9000)), /is not a video/],
  [
    "list.mp4",
    "a playlist of other files",
    async () => Buffer.from("ffconcat version 1.0\nfile /etc/passwd\n"),
    /is not a video/,
  ],
  [
    "remote.mp4",
    "a playlist of the network",
    async () => Buffer.from("#EXTM3U\n#EXTINF:1,\nhttp://localhost:1/a.ts\n"),
    /is not a video/,
  ],
  ["other-name.mov", "a Matroska file by another name", () => good("mkv"), null],
  ["no-name.bin", "an mp4 without its extension", () => good("mp4"), null],
  [
    "no-index.mp4",
    "an mp4 without its moov box",
    async () => {
      const bytes = await good("mp4");
      return Buffer.concat([
        bytes.subarray(0, placeOf(bytes, "moov") - 4),
        bytes.subarray(placeOf(bytes, "mdat") - 4),
      ]);
    },
    /cut off or damaged|no picture|is not a video/,
  ],
  [
    "half.mp4",
    "the first half of an mp4",
    async () => {
      const bytes = await good("mp4");
      return bytes.subarray(0, bytes.length >> 1);
    },
    /cut off|damaged/,
  ],
  [
    "half.mkv",
    "the first half of a Matroska file",
    async () => {
      const bytes = await good("mkv");
      return bytes.subarray(0, bytes.length >> 1);
    },
    /is cut off: it says it has/,
  ],
  [
    "half.avi",
    "the first half of an AVI",
    async () => {
      const bytes = await good("avi");
      return bytes.subarray(0, bytes.length >> 1);
    },
    /cut off|damaged/,
  ],
  [
    "head.mp4",
    "the first 40 bytes of an mp4",
    async () => (await good("mp4")).subarray(0, 40),
    /cut off or damaged/,
  ],
  [
    "head.gif",
    "the first 10 bytes of a GIF",
    async () => (await good("gif")).subarray(0, 10),
    /cut off|damaged|not a video|no picture/,
  ],
  [
    "rotten.mp4",
    "noise in the middle of the pictures",
    async () => {
      const bytes = await good("mp4");
      return patched(bytes, placeOf(bytes, "mdat") + 2500, noise(1500));
    },
    /damaged/,
  ],
  [
    "rotten.mkv",
    "noise in the middle of a Matroska file",
    async () => {
      const bytes = await good("mkv");
      return patched(bytes, bytes.length >> 1, noise(1200));
    },
    /damaged|cut off/,
  ],
  [
    "rotten.webm",
    "noise in the middle of VP9",
    async () => {
      const bytes = await good("webm");
      return patched(bytes, bytes.length >> 1, noise(1200));
    },
    /damaged|cut off/,
  ],
  [
    "big-box.mp4",
    "a moov box of four gigabytes",
    async () => {
      const bytes = await good("mp4");
      return patched(bytes, placeOf(bytes, "moov") - 4, Buffer.from("fffffff0", "hex"));
    },
    /cut off|damaged|not a video/,
  ],
  [
    "many.mp4",
    "a table of four billion times",
    async () => {
      const bytes = await good("mp4");
      return patched(bytes, placeOf(bytes, "stts") + 8, Buffer.from("ffffffff", "hex"));
    },
    /cut off|damaged|no picture/,
  ],
  [
    "no-frames.mp4",
    "an mp4 of no pictures",
    async () => {
      const bytes = await good("mp4");
      return patched(bytes, placeOf(bytes, "stsz") + 12, Buffer.alloc(4));
    },
    /no picture|cut off|damaged/,
  ],
  [
    "huge.gif",
    "a GIF that says 65535 × 65535",
    async () => patched(await good("gif"), 6, Buffer.from("ffffffff", "hex")),
    /cut off or damaged/,
  ],
  [
    "other-size.mkv",
    "a Matroska file whose header says 255 × 255",
    async () => wide(await good("mkv")),
    null,
  ],
  [
    "huge.mkv",
    "a Matroska file that says 12000 × 12000",
    async () => huge(),
    /^eve: huge\.mkv says its pictures have 12000 × 12000 pixels/,
  ],
];

/** PixelWidth (B0) and PixelHeight (BA) of one byte each, patched to what the header claims. */
function wide(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([0xb0, 0x81, 64, 0xba, 0x81, 48]));
  expect(at).toBeGreaterThan(0);
  return patched(bytes, at, Buffer.from([0xb0, 0x81, 255, 0xba, 0x81, 255]));
}

/** The same in two bytes each, with a codec that takes its size from the container. */
async function huge(): Promise<Buffer> {
  await makeClip(folder.file("wide.mkv"), {
    width: 320,
    height: 264,
    codec: "ffv1",
    ticks: [0, 512],
  });
  const bytes = await readFile(folder.file("wide.mkv"));
  await rm(folder.file("wide.mkv"));
  const at = bytes.indexOf(Buffer.from([0xb0, 0x82, 1, 64, 0xba, 0x82, 1, 8]));
  expect(at).toBeGreaterThan(0);
  return patched(bytes, at, Buffer.from([0xb0, 0x82, 0x2e, 0xe0, 0xba, 0x82, 0x2e, 0xe0]));
}

async function edited(name: string, output: string): Promise<{ failure: string; frames: number }> {
  let frames = 0;
  try {
    const onFrame = (): void => void frames++;
    const options = { output, steps: 1, onFrame };
    await new Editor(copyingModel()).edit(folder.file(name), "copy", options).result;
    return { failure: "", frames };
  } catch (error) {
    return { failure: failureOf(error, { debug: false }).text, frames };
  }
}

describe("a file that is", () => {
  test.each(files)("%s: %s", { timeout: 60_000 }, async (name, _, make, sentence) => {
    await writeFile(folder.file(name), await make());
    const before = await readdir(folder.path);
    const { failure, frames } = await edited(name, folder.file("result.mp4"));
    if (sentence === null) {
      expect(failure).toBe("");
      expect(frames).toBe(60);
      await rm(folder.file("result.mp4"));
      await rm(folder.file("result.mp4.json"));
    } else {
      expect(failure).toMatch(sentence);
      expect(failure).toMatch(/^eve: (?!internal error)[^\n]{10,300}$/);
    }
    expect(await readdir(folder.path)).toEqual(before);
  });

  test("one pixel is edited like any other", async () => {
    await makeClip(folder.file("dot.mp4"), { width: 1, height: 1 });
    expect(await edited("dot.mp4", folder.file("dot-out.mp4"))).toEqual({
      failure: "",
      frames: 12,
    });
    expect(await probeVideo(folder.file("dot-out.mp4"))).toMatchObject({
      width: 1,
      height: 1,
      frames: 12,
    });
  });

  test("a stream without times is edited at the rate it states", async () => {
    const stream = annexB(await good("mp4"));
    await writeFile(folder.file("bare.h264"), stream);
    const { failure, frames } = await edited("bare.h264", folder.file("bare.mp4"));
    expect(failure).toBe("");
    expect(frames).toBe((await probeVideo(folder.file("bare.mp4"))).frames);
    expect(frames).toBeGreaterThan(50);
  });
});

/** The H.264 of an mp4 as a bare stream: parameter sets out of its avcC box, then its samples, each after 00000001. */
function annexB(mp4: Buffer): Buffer {
  const start = Buffer.from([0, 0, 0, 1]);
  const header = placeOf(mp4, "avcC") + 4;
  const spsLength = mp4.readUInt16BE(header + 6);
  const sps = mp4.subarray(header + 8, header + 8 + spsLength);
  const at = header + 8 + spsLength + 1;
  const pps = mp4.subarray(at + 2, at + 2 + mp4.readUInt16BE(at));
  const units = [start, sps, start, pps];
  const offsets = placeOf(mp4, "stco") + 12;
  const sizes = placeOf(mp4, "stsz") + 16;
  const chunks = samplesPerChunk(mp4);
  let sample = 0;
  for (const [chunk, count] of chunks.entries()) {
    let from = mp4.readUInt32BE(offsets + chunk * 4);
    for (let index = 0; index < count; index++, sample++) {
      const end = from + mp4.readUInt32BE(sizes + sample * 4);
      while (from < end) {
        const length = mp4.readUInt32BE(from);
        units.push(start, mp4.subarray(from + 4, from + 4 + length));
        from += 4 + length;
      }
    }
  }
  return Buffer.concat(units);
}

/** How many samples each chunk of the first track has. */
function samplesPerChunk(mp4: Buffer): number[] {
  const table = placeOf(mp4, "stsc") + 8;
  const entries = Array.from({ length: mp4.readUInt32BE(table) }, (_, index) => ({
    first: mp4.readUInt32BE(table + 4 + index * 12),
    count: mp4.readUInt32BE(table + 8 + index * 12),
  }));
  const chunks = mp4.readUInt32BE(placeOf(mp4, "stco") + 8);
  return Array.from(
    { length: chunks },
    (_, index) => entries.findLast(({ first }) => first <= index + 1)!.count,
  );
}
