import {
  AVCHROMA_LOC_LEFT,
  AVCOL_PRI_BT709,
  AVCOL_PRI_SMPTE170M,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_BT709,
  AVCOL_TRC_SMPTE170M,
  AVCOL_TRC_UNSPECIFIED,
} from "node-av/constants";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCodec } from "../../src/data/video/codecs.ts";
import type { Orientation } from "../../src/data/video/orientation.ts";
import { Editor } from "../../src/editing/editor.ts";
import { type ClipFolder, clipFolder, type ClipOptions, makeClip } from "../support/clips.ts";
import { copyingModel } from "../support/copying-model.ts";
import { displayMatrixOf } from "../support/display-matrix.ts";
import { type MediaReading, readMedia } from "../support/media-reading.ts";
import { pairwiseRows } from "../support/pairwise.ts";

// Every two of these levels meet in at least one edit. Each edit changes nothing, so whatever differs between the
// files, read by FFmpeg alone, is a fault of reading or writing.
const factors = {
  output: [
    "mp4 h264",
    "mp4 hevc",
    "mp4 av1",
    "mp4 vp9",
    "mov h264",
    "mov hevc",
    "mov prores",
    "mkv h264",
    "mkv hevc",
    "mkv av1",
    "mkv vp9",
    "mkv prores",
    "mkv ffv1",
    "webm vp9",
    "webm av1",
    "avi h264",
    "avi ffv1",
    "gif gif",
  ],
  turn: ["0", "90", "180", "270", "0 mirrored", "90 mirrored", "180 mirrored", "270 mirrored"],
  size: ["64x48", "67x49", "65x48", "48x65"],
  times: ["even", "uneven", "late"],
  sound: ["none", "one", "two and subtitles"],
  colour: ["BT.709", "BT.601 full", "unsaid"],
  pixels: ["1:1", "4:3"],
  quality: ["good", "lossless"],
} as const;
type Case = { readonly [Name in keyof typeof factors]: (typeof factors)[Name][number] };

const gap = 512; // 40 ms
const times = {
  even: Array.from({ length: 9 }, (_, index) => index * gap),
  uneven: [0, 512, 1024, 2560, 2816, 5120, 5632, 8960, 9216],
  late: Array.from({ length: 9 }, (_, index) => 6400 + index * gap),
};
const left = { chromaLocation: AVCHROMA_LOC_LEFT };
const colours = {
  "BT.709": {
    ...left,
    range: AVCOL_RANGE_MPEG,
    space: AVCOL_SPC_BT709,
    primaries: AVCOL_PRI_BT709,
    transfer: AVCOL_TRC_BT709,
  },
  "BT.601 full": {
    ...left,
    range: AVCOL_RANGE_JPEG,
    space: AVCOL_SPC_SMPTE170M,
    primaries: AVCOL_PRI_SMPTE170M,
    transfer: AVCOL_TRC_SMPTE170M,
  },
  unsaid: {
    ...left,
    range: AVCOL_RANGE_MPEG,
    space: AVCOL_SPC_UNSPECIFIED,
    primaries: AVCOL_PRI_UNSPECIFIED,
    transfer: AVCOL_TRC_UNSPECIFIED,
  },
};

/** What a container of that name can hold of the sound codecs that the test has encoders for. */
const soundFor: Readonly<Record<string, ClipOptions["audio"]>> = {
  mp4: "aac",
  mov: "aac",
  mkv: "libopus",
  webm: "libopus",
  avi: "ac3",
  gif: "aac",
};

let folder: ClipFolder;
const made = new Map<string, Promise<string>>();
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** The source of a case; the same one for cases that differ in their output alone. */
function sourceOf({
  output,
  turn,
  size,
  times: timing,
  sound,
  colour,
  pixels,
}: Case): Promise<string> {
  const [container = ""] = output.split(" ");
  // Matroska carries what AVI and GIF can be made of, and SubRip; the others are their own sources.
  const extension =
    sound === "two and subtitles" || container === "gif" || container === "avi" ? "mkv" : container;
  const audio = soundFor[container]!;
  const key = [extension, audio, turn, size, timing, sound, colour, pixels].join(" ");
  const path = folder.file(`${made.size}.${extension}`);
  const [width = 0, height = 0] = size.split("x").map(Number);
  const [num = 1, den = 1] = pixels.split(":").map(Number);
  const [degrees = "0", mirrored] = turn.split(" ");
  const orientation = {
    rotation: Number(degrees) as Orientation["rotation"],
    mirrored: mirrored !== undefined,
  };
  const source =
    made.get(key) ??
    makeClip(path, {
      width,
      height,
      ticks: times[timing],
      colour: colours[colour],
      sampleAspectRatio: { num, den },
      displayMatrix: displayMatrixOf(orientation),
      metadata: { title: "the matrix" },
      ...(sound === "none" ? {} : { audio }),
      ...(sound === "two and subtitles" ? { audioStreams: 2, subtitles: ["one"] } : {}),
    }).then(() => path);
  made.set(key, source);
  return source;
}

/** What must be refused, and by which sentence. */
function refusalOf({ output, size, times: timing, sound, quality }: Case): RegExp | undefined {
  const [container, codec] = output.split(" ");
  if (container === "avi" && timing === "uneven") return /^AVI cannot hold the variable frame rate/;
  if (container === "avi" && timing === "late" && sound !== "none")
    return /^AVI cannot hold pictures that begin/;
  if (codec === "hevc" && size === "48x65") return /^hevc needs at least 64 × 16 pixels/;
  const isLossy = codec === "av1" || codec === "prores" || codec === "gif";
  return quality === "lossless" && isLossy
    ? /cannot keep every bit: lossless works with/
    : undefined;
}

const rows = pairwiseRows(Object.values(factors).map((levels) => levels.length)).map(
  ([output, turn, size, timing, sound, colour, pixels, quality]): Case => ({
    output: factors.output[output!]!,
    turn: factors.turn[turn!]!,
    size: factors.size[size!]!,
    times: factors.times[timing!]!,
    sound: factors.sound[sound!]!,
    colour: factors.colour[colour!]!,
    pixels: factors.pixels[pixels!]!,
    quality: factors.quality[quality!]!,
  }),
);
const title = (row: Case) => Object.values(row).join(" · ");

describe("an edit that changes nothing", () => {
  test.each(rows.map((row) => [title(row), row] as const))("%s", async (_, row) => {
    const [container = "", codec = ""] = row.output.split(" ");
    const source = await sourceOf(row);
    const output = folder.file(`edited-${rows.indexOf(row)}.${container}`);
    const warnings: string[] = [];
    const edit = new Editor(copyingModel()).edit(source, "copy", {
      output,
      encoding: { codec: readCodec(codec), quality: row.quality },
      steps: 1,
    });
    const work = (async () => {
      for await (const event of edit) if (event.type === "warning") warnings.push(event.message);
    })();
    const refusal = refusalOf(row);
    if (refusal) {
      await expect(work).rejects.toThrow(refusal);
      expect((await readdir(folder.path)).filter((name) => name.includes("partial"))).toEqual([]);
      return;
    }
    await work;
    const [before, after] = [await readMedia(source), await readMedia(output)];
    expectPictures(before, after, row, container);
    expectCopies(before, after, container, warnings);
    expectMetadata(after, container);
  });
});

/** How far times may move, in seconds: half a tick of the coarser clock. */
const rounding: Readonly<Record<string, number>> = {
  mkv: 0.0006,
  webm: 0.0006,
  gif: 0.0051,
  avi: 0.02,
};

function expectPictures(
  before: MediaReading,
  after: MediaReading,
  row: Case,
  container: string,
): void {
  const turnsPixels = container === "avi" || container === "gif";
  const isSideways = /^(90|270)/.test(row.turn);
  const swapped = turnsPixels && isSideways;
  expect([after.width, after.height]).toEqual(
    swapped ? [before.height, before.width] : [before.width, before.height],
  );
  expect(after.turn).toBe(turnsPixels ? "1 0 0 1" : before.turn);
  // Matroska stores a shown width in whole pixels.
  if (!turnsPixels) expect(Math.abs(after.aspect - before.aspect) * after.width).toBeLessThan(0.52);
  const shift = turnsPixels ? before.shown[0]! - after.shown[0]! : 0;
  expect(after.shown).toHaveLength(before.shown.length);
  const tolerance = rounding[container] ?? 1e-4;
  for (const [index, at] of after.shown.entries()) {
    expect(Math.abs(at + shift - before.shown[index]!), `picture ${index}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
  // AVI's end is a number of frames; the source's Matroska clock is rounded too.
  expect(Math.abs(after.end + shift - before.end)).toBeLessThanOrEqual(2 * tolerance + 0.0021);
  expectColour(before, after, row, container);
}

function expectColour(
  before: MediaReading,
  after: MediaReading,
  row: Case,
  container: string,
): void {
  if (container === "avi" || container === "gif") return;
  const [range, space, primaries, transfer] = after.colour;
  if (row.colour !== "unsaid") expect([primaries, transfer]).toEqual(before.colour.slice(2));
  const isRgb = row.quality === "lossless" || row.output.endsWith("ffv1");
  if (isRgb) return;
  if (row.colour !== "unsaid") expect(space).toBe(before.colour[1]);
  const isFull = row.colour === "BT.601 full" && !row.output.endsWith("prores");
  expect(range === Number(AVCOL_RANGE_JPEG)).toBe(isFull);
}

function expectCopies(
  before: MediaReading,
  after: MediaReading,
  container: string,
  warnings: readonly string[],
): void {
  const isText = ({ codec }: { codec: string }) => codec === "subrip";
  const losesSound = container === "gif";
  const kept = before.copied.filter((stream) =>
    isText(stream) ? container === "mkv" : !losesSound,
  );
  expect(after.copied.map(({ codec }) => codec)).toEqual(kept.map(({ codec }) => codec));
  for (const [index, { packets, language }] of kept.entries()) {
    const found = after.copied[index]!;
    expect(found.packets.map(({ sha256 }) => sha256)).toEqual(packets.map(({ sha256 }) => sha256));
    if (container === "avi") continue;
    expect(found.language).toBe(language);
    for (const [at, packet] of packets.entries()) {
      expect(Math.abs(found.packets[at]!.at - packet.at)).toBeLessThanOrEqual(0.0011);
    }
  }
  const said = warnings.join("\n");
  expect(said.includes("subtitles")).toBe(before.copied.some(isText) && container !== "mkv");
  expect(said.includes("has no sound")).toBe(
    losesSound && before.copied.some((stream) => !isText(stream)),
  );
}

function expectMetadata(after: MediaReading, container: string): void {
  if (container === "gif") return;
  const metadata = Object.fromEntries(
    Object.entries(after.metadata).map(([key, value]) => [key.toLowerCase(), value]),
  );
  expect(metadata["title"]).toBe("the matrix");
  expect(JSON.parse(metadata["comment"]!)).toMatchObject({
    program: "open-eve",
    settings: { instruction: "copy" },
    digitalSourceType: expect.stringContaining("compositeWithTrainedAlgorithmicMedia"),
  });
}
