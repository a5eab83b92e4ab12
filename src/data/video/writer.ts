import { basename } from "node:path";
import type { Stream } from "node-av/lib";
import { DataError, ShapeError } from "../../engine/errors.ts";
import type { Chapter } from "./chapter.ts";
import { chapterFiller, embedChapters, heldChapters } from "./chapters.ts";
import { type Container, chooseEncoding, containerFor, type EncodingChoice } from "./containers.ts";
import { clockOffset, type OpenMedia, openMedia } from "./media.ts";
import { requireWritable, writeAtomically } from "../output-file.ts";
import { newColour, type OutputPlan, planOutput } from "./output-plan.ts";
import { type OutputPicture, VideoOutput } from "./output.ts";
import type { VideoInfo } from "./video-info.ts";
import type { DecodedFrame } from "./reader.ts";
import { keptSideData } from "./source-contents.ts";
import { StreamCopy } from "./stream-copy.ts";
import { exactRate, rescale, seconds, type TimeBase } from "./time-base.ts";
import { verifyWritten } from "./verify.ts";
import { embedXmp } from "./xmp.ts";

/** A picture to write in the place of a decoded one: upright RGB with that one's timing. */
export type WrittenFrame = Pick<DecodedFrame, "pts" | "duration" | "rgb" | "width" | "height">;

/** How to write a video. */
export interface WriteOptions extends EncodingChoice {
  /** Key and text pairs for the file's metadata, such as `comment`; a gif has a place for that one alone. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Overrides of encoder options by FFmpeg's names, e.g. `{ crf: "18", preset: "fast" }`. */
  readonly encoderOptions?: Readonly<Record<string, string>>;
  /** IPTC's word (a URI) for how the pictures came to be, for the file's XMP packet or tags. */
  readonly digitalSourceType?: string;
  /** How far sound and subtitles are copied, in seconds; to their end by default. */
  readonly copiedSeconds?: number;
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface WrittenVideo {
  readonly path: string;
  readonly frames: number;
  /** Audio streams copied. */
  readonly audioStreams: number;
  /** One sentence for each thing that the file turned out to have no place for. */
  readonly notices: readonly string[];
}

/**
 * Writes edited pictures as a video that otherwise equals `source`: timestamps, size, rotation, colour tags, metadata
 * and chapters, and, packet by packet, its sound and subtitles.
 *
 * The file is read back and compared with the source before it takes its name: a difference is a DataError of one
 * sentence, and no file. Where a container cannot say a rotation (avi, gif), the pixels are turned instead; what else
 * will differ, `planOutput` says.
 */
export async function writeEdited(
  source: VideoInfo,
  output: string,
  frames: AsyncIterable<WrittenFrame> | Iterable<WrittenFrame>,
  options: WriteOptions = {},
): Promise<WrittenVideo> {
  const plan = withOptions(await planOutput(source, output, options), source, options);
  await using media =
    source.path !== null && source.pictures === null ? await openMedia(source.path) : null;
  return await writeAtomically(output, async (temporary) => {
    const metadata = {
      ...(media && sourceMetadata(media)),
      ...ownMetadata(plan.container, options),
    };
    const chapters = heldChapters(plan.container, source.chapters);
    const written = await writeStreams(
      { temporary, source, media, plan, metadata, chapters, options },
      frames,
    );
    await embedChapters(temporary, plan.container, chapters);
    const { comment } = metadata;
    await embedXmp(temporary, plan.container, {
      digitalSourceType: options.digitalSourceType,
      comment,
    });
    const notices = await named(output, () =>
      verifyWritten(temporary, { ...plan, ...written, chapters, metadata }),
    );
    const audioStreams = (plan.container.carriesAudio && media?.audio.length) || 0;
    return { path: output, frames: written.starts.length, audioStreams, notices };
  });
}

/** One edit on its way into a file. */
interface Job {
  readonly temporary: string;
  readonly source: VideoInfo;
  /** Null where the source is pictures: there is nothing to copy. */
  readonly media: OpenMedia | null;
  readonly plan: OutputPlan;
  readonly metadata: Readonly<Record<string, string>>;
  readonly chapters: readonly Chapter[];
  readonly options: WriteOptions;
}

/** Writes pictures and copied streams side by side; returns what was written of both. */
async function writeStreams(
  { temporary, source, media, plan, metadata, chapters, options }: Job,
  frames: AsyncIterable<WrittenFrame> | Iterable<WrittenFrame>,
) {
  const { container, turn } = plan;
  const offset = media ? clockOffset(media) : 0n;
  const toTicks = rescale(offset, microseconds, source.timeBase);
  const sideData = media ? keptSideData(media.video) : [];
  const own = media ? streamMetadata(media.video) : {};
  await using video = await VideoOutput.create(temporary, { ...plan, sideData, metadata: own });
  using copy =
    media &&
    new StreamCopy(media, video.context, {
      streams: copiedStreams(media, source, container),
      offsetMicroseconds: offset,
      earliestSeconds: container.earliestAudioSeconds,
    });
  const filler = chapterFiller(container, chapters);
  await video.begin(metadata, filler);
  const starts: number[] = [];
  let endSeconds = 0;
  for await (const frame of frames) {
    options.signal?.throwIfAborted();
    requireSize(frame, source, starts.length);
    const pts = frame.pts - toTicks;
    const start = seconds(pts, source.timeBase);
    await copy?.copyUntil(start);
    await video.write(turn(frame.rgb), pts, frame.duration);
    starts.push(start);
    endSeconds = video.endSeconds;
  }
  options.signal?.throwIfAborted();
  if (starts.length === 0) throw new DataError(`${source.name} gave no picture to write.`);
  await copy?.copyUntil(options.copiedSeconds ?? Infinity);
  await video.finish();
  return { starts, endSeconds, copied: copy?.summaries ?? [] };
}

/** Sound where the container has any, then the subtitles that it can hold. */
function copiedStreams(media: OpenMedia, source: VideoInfo, container: Container): Stream[] {
  const subtitles = media.subtitles.filter((_, index) =>
    container.subtitleCodecs.has(source.subtitleCodecs[index] ?? ""),
  );
  return [...(container.carriesAudio ? media.audio : []), ...subtitles];
}

/** Pictures from which on x265 may store them in another order: of fewer it gives the muxer wild decoding times. */
const FEWEST_REORDERED = 3;

function withOptions(
  plan: OutputPlan,
  { frames }: Pick<VideoInfo, "frames">,
  { encoderOptions = {} }: WriteOptions,
): OutputPlan {
  const { encoding } = plan;
  const isFew = frames !== null && frames < FEWEST_REORDERED;
  const inOrder: Readonly<Record<string, string>> =
    isFew && encoding.codec === "hevc" ? { bf: "0" } : {};
  return {
    ...plan,
    encoding: { ...encoding, options: { ...encoding.options, ...inOrder, ...encoderOptions } },
  };
}

/** What is said of the edit itself: what it was told, and a tag where there is no place for XMP. */
function ownMetadata({ xmpPlace }: Container, { metadata = {}, digitalSourceType }: WriteOptions) {
  return xmpPlace === "tag" && digitalSourceType !== undefined
    ? { ...metadata, DIGITAL_SOURCE_TYPE: digitalSourceType }
    : metadata;
}

/** Names the file in what `verify` finds wrong with it. */
async function named<Result>(output: string, verify: () => Promise<Result>): Promise<Result> {
  try {
    return await verify();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(
      `${basename(output)} was not kept: ${error.message}; try another container, such as .mkv.`,
      { cause: error },
    );
  }
}

/** Writes a new video from packed RGB pictures, `height × width × 3`, at a constant frame rate. */
export async function writeVideo(
  path: string,
  frames: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { width, height, fps, metadata = {}, encoderOptions, signal, ...choice }: NewVideoOptions,
): Promise<WrittenVideo> {
  const container = containerFor(path);
  const chosen = chooseEncoding(container, choice, { width, height });
  const encoding = { ...chosen, options: { ...chosen.options, ...encoderOptions } };
  await requireWritable(path);
  const frameRate = exactRate(fps);
  const timeBase = { num: frameRate.den, den: frameRate.num };
  const picture: OutputPicture = {
    width,
    height,
    frameRate,
    timeBase,
    colour: newColour(encoding),
    sampleAspectRatio: { num: 1, den: 1 },
    displayMatrix: null,
  };
  return writeAtomically(path, async (temporary) => {
    await using video = await VideoOutput.create(temporary, { container, encoding, picture });
    await video.begin(metadata);
    let count = 0;
    for await (const rgb of frames) {
      signal?.throwIfAborted();
      requireSize({ rgb, width, height }, { width, height }, count);
      await video.write(rgb, BigInt(count++), 1n);
    }
    signal?.throwIfAborted();
    if (count === 0) throw new DataError(`There is no picture to write to ${path}.`);
    await video.finish();
    return { path, frames: count, audioStreams: 0, notices: [] };
  });
}

/** How to write a new video: sizes in pixels, `fps` pictures a second. */
export interface NewVideoOptions extends WriteOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const microseconds: TimeBase = { num: 1, den: 1_000_000 };

function sourceMetadata({ context }: OpenMedia): Record<string, string> {
  const aboutTheOldFile = new Set(["major_brand", "minor_version", "compatible_brands", "encoder"]);
  const all = Object.entries(context.metadata?.getAll() ?? {});
  return Object.fromEntries(all.filter(([key]) => !aboutTheOldFile.has(key.toLowerCase())));
}

/** What stays true of an edited stream; figures of its old coding do not. */
function streamMetadata({ metadata }: Stream): Record<string, string> {
  const kept = new Set(["language", "title", "timecode", "handler_name", "creation_time"]);
  const all = Object.entries(metadata?.getAll() ?? {});
  return Object.fromEntries(all.filter(([key]) => kept.has(key.toLowerCase())));
}

function requireSize(
  { rgb, width, height }: Pick<WrittenFrame, "rgb" | "width" | "height">,
  expected: { width: number; height: number },
  index: number,
): void {
  const isRight = width === expected.width && height === expected.height;
  if (isRight && rgb.length === width * height * 3) return;
  throw new ShapeError(
    `Frame ${index} must be ${expected.width} × ${expected.height} RGB, ` +
      `got ${width} × ${height} with ${rgb.length} bytes.`,
  );
}
