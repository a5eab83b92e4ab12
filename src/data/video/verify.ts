import { open } from "node:fs/promises";
import {
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_DISCARD,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_UNSPECIFIED,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
} from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import { DataError } from "../../engine/errors.ts";
import type { Chapter } from "./chapter.ts";
import { readChapters } from "./chapters.ts";
import { effectiveRange } from "./colour.ts";
import type { Container } from "./containers.ts";
import { endOfVideo, openMedia, type OpenMedia, sampleAspectOf } from "./media.ts";
import { orientationOf, turnedSize, upright } from "./orientation.ts";
import type { OutputPicture } from "./output.ts";
import { StreamDigest, type StreamSummary } from "./stream-digest.ts";
import { seconds, type TimeBase } from "./time-base.ts";

/** What a written file must hold, as the source and the edit said it. */
export interface MediaContract {
  readonly container: Container;
  readonly picture: OutputPicture;
  /** When each picture is shown, in seconds, in order, and when the last one ends. */
  readonly starts: readonly number[];
  readonly endSeconds: number;
  /** The streams that were copied, in the order they were added. */
  readonly copied: readonly StreamSummary[];
  /** As the container holds them. */
  readonly chapters: readonly Chapter[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a written file back and compares it with what it must hold; returns what its metadata lost, a sentence each.
 *
 * Throws a DataError that names the first thing that differs: number of pictures, their times, their end, size,
 * rotation, pixel shape, colour tags, every copied packet, and chapters.
 */
export async function verifyWritten(path: string, contract: MediaContract): Promise<string[]> {
  await using media = await openMedia(path).catch((cause: unknown) => {
    throw new DataError("what was written cannot be read back", { cause });
  });
  requireDescription(media, contract);
  const { starts, copied } = await readBack(media);
  requireTimes(media, starts, contract);
  if (contract.container.carriesAudio) requireCopies(copied, contract);
  await requireChapters(path, media, contract);
  return lostMetadata(media, contract);
}

async function requireChapters(
  path: string,
  media: OpenMedia,
  contract: MediaContract,
): Promise<void> {
  await using file = await open(path);
  const { chapters } = await readChapters(file, media);
  const said = (list: readonly Chapter[]) =>
    list.map(({ start, end, title }) => `${start}–${end ?? ""} ${title}`);
  requireSame("chapters", said(chapters), said(contract.chapters));
}

function requireDescription(media: OpenMedia, { container, picture }: MediaContract): void {
  const { codecpar } = media.video;
  requireSame(
    "size",
    `${codecpar.width} × ${codecpar.height}`,
    `${picture.width} × ${picture.height}`,
  );
  const turn = (matrix: Uint8Array | null) => {
    const orientation = matrix ? orientationOf(matrix) : upright;
    return { ...orientation, ...turnedSize(picture.width, picture.height, orientation) };
  };
  requireSame("rotation", turn(media.displayMatrix), turn(picture.displayMatrix));
  if (container.carriesAspect) {
    const [written, expected] = [sampleAspectOf(media.video), picture.sampleAspectRatio].map(
      shapeOf,
    );
    // Matroska stores a shown width in whole pixels.
    if (Math.abs(written! - expected!) * picture.width > 0.51) {
      throw different("pixel shape", written, expected);
    }
  }
  if (container.carriesColour) requireColour(media.video, picture);
}

function requireColour({ codecpar }: Stream, { colour }: OutputPicture): void {
  requireSame("colour range", effectiveRange(codecpar.colorRange), effectiveRange(colour.range));
  const tags = [
    ["colour matrix", codecpar.colorSpace, colour.space, AVCOL_SPC_UNSPECIFIED],
    ["colour primaries", codecpar.colorPrimaries, colour.primaries, AVCOL_PRI_UNSPECIFIED],
    ["transfer function", codecpar.colorTrc, colour.transfer, AVCOL_TRC_UNSPECIFIED],
  ] as const;
  for (const [what, written, expected, unsaid] of tags) {
    if (Number(expected) !== Number(unsaid)) requireSame(what, written, expected);
  }
}

/** Pixel width over pixel height; unknown and square are the same to a player. */
function shapeOf({ num, den }: TimeBase): number {
  return num > 0 && den > 0 ? num / den : 1;
}

interface ReadBack {
  /** Ascending, in seconds. */
  readonly starts: readonly number[];
  readonly last: { readonly start: bigint; readonly duration: bigint };
}

async function readBack(
  media: OpenMedia,
): Promise<{ starts: ReadBack; copied: readonly StreamSummary[] }> {
  const { context, video } = media;
  const copies = context.streams.filter(isCopied);
  const digests = new Map(
    copies.map((stream) => [stream.index, new StreamDigest(stream.codecpar)]),
  );
  const bases = new Map(copies.map((stream) => [stream.index, stream.timeBase]));
  const starts: number[] = [];
  let last = { start: AV_NOPTS_VALUE, duration: 0n };
  using packet = new Packet();
  packet.alloc();
  for (; ; packet.unref()) {
    const read = await context.readFrame(packet);
    if (read === AVERROR_EOF) break;
    if (read < 0) throw new DataError("what was written cannot be read to its end");
    if (packet.streamIndex === video.index) {
      if (packet.hasFlags(AV_PKT_FLAG_DISCARD)) continue;
      const start = packet.pts === AV_NOPTS_VALUE ? packet.dts : packet.pts;
      starts.push(seconds(start, video.timeBase));
      if (start > last.start) last = { start, duration: packet.duration };
    } else digests.get(packet.streamIndex)?.add(packet, bases.get(packet.streamIndex)!);
  }
  return {
    starts: { starts: starts.toSorted((left, right) => left - right), last },
    copied: [...digests.values()].map(({ summary }) => summary),
  };
}

/** A rounding of times to a clock's ticks moves them by half a tick, and Matroska's whole ones by half a millisecond. */
function requireTimes(
  media: OpenMedia,
  { starts: written, last }: ReadBack,
  { container, picture, starts, endSeconds }: MediaContract,
): void {
  requireSame("number of pictures", written.length, starts.length);
  const { video } = media;
  const isNumbered = container.clock === "frame-number";
  const frame = picture.frameRate.den / picture.frameRate.num;
  const clock = isNumbered ? frame : container.clock === "centiseconds" ? 0.01 : 0;
  const tick = seconds(1n, video.timeBase);
  const tolerance = 0.51 * (tick + clock) + 1e-6;
  // AVI and GIF begin with their first picture.
  const shift = container.clock === "source" ? 0 : starts[0]! - written[0]!;
  for (const [index, start] of written.entries()) {
    const expected = starts[index]!;
    if (Math.abs(start + shift - expected) <= tolerance) continue;
    throw different(`time of picture ${index}`, `${start} s`, `${expected} s`);
  }
  const end = seconds(endOfVideo(media, last), video.timeBase) + shift;
  if (Math.abs(end - endSeconds) > 2 * tolerance + (container.clock === "source" ? 0.001 : clock)) {
    throw different("end of the last picture", `${end} s`, `${endSeconds} s`);
  }
}

/** Sound and subtitles: of data, as a track of timecodes, muxers write what they make of the metadata. */
function isCopied({ codecpar }: Stream): boolean {
  return [AVMEDIA_TYPE_AUDIO, AVMEDIA_TYPE_SUBTITLE].some((type) => codecpar.codecType === type);
}

/** MPEG's sound without the layer that it is of: `mp3` and `mp2` alike. */
function withoutLayer(codec: string): string {
  return codec.replace(/^mp[123]$/, "mpeg audio");
}

function requireCopies(
  written: readonly StreamSummary[],
  { container, copied }: MediaContract,
): void {
  const named = (list: readonly StreamSummary[]) =>
    list.map(({ codec }) => (container.namesAudioLayers ? codec : withoutLayer(codec)));
  requireSame("streams beside the pictures", named(written), named(copied));
  for (const [index, expected] of copied.entries()) {
    const found = written[index]!;
    const what = `${expected.codec} stream ${index + 1}`;
    requireSame(`bytes of the ${what}`, found.sha256, expected.sha256);
    // Uncompressed sound has no packets of its own, and AVI cuts every stream anew.
    if (expected.codec.startsWith("pcm_") || container.clock !== "source") continue;
    requireSame(`packets of the ${what}`, found.packets, expected.packets);
    const far = found.starts.findIndex(
      (start, at) => Math.abs(start - expected.starts[at]!) > 0.0011,
    );
    if (far >= 0)
      throw different(
        `time of packet ${far} of the ${what}`,
        found.starts[far],
        expected.starts[far],
      );
  }
}

/** What of the metadata is not there, or not as it was, a sentence each. */
function lostMetadata({ context }: OpenMedia, { container, metadata }: MediaContract): string[] {
  const all = Object.entries(context.metadata?.getAll() ?? {});
  const written = new Map(all.map(([key, value]) => [key.toLowerCase(), value]));
  const lost = Object.keys(metadata).filter((key) => {
    const found = written.get(key.toLowerCase());
    return found === undefined || (key === "comment" && found !== metadata[key]);
  });
  return lost.length === 0
    ? []
    : [`${container.label} has no place for the metadata ${lost.join(", ")}: left out`];
}

function requireSame(what: string, written: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(written), JSON.stringify(expected)];
  if (left !== right) throw different(what, left, right);
}

function different(what: string, written: unknown, expected: unknown): DataError {
  return new DataError(`the ${what} would be ${String(written)} instead of ${String(expected)}`);
}
