import { AVFMT_TS_DISCONT } from "node-av/constants";
import { DataError, invariant, ShapeError, UserError } from "../../engine/errors.ts";
import { AudioCopy } from "./audio-copy.ts";
import { standardColour } from "./colour.ts";
import { type Container, containerFor } from "./containers.ts";
import { type OpenMedia, openMedia } from "./media.ts";
import { turnBack } from "./orientation.ts";
import { requireWritable, writeAtomically } from "./output-file.ts";
import { type OutputPicture, VideoOutput } from "./output.ts";
import type { VideoInfo } from "./probe.ts";
import type { DecodedFrame } from "./reader.ts";
import { rescale, seconds, type TimeBase } from "./time-base.ts";

/** A picture to write in the place of a decoded one: upright RGB with that one's timing. */
export type EditedFrame = Pick<DecodedFrame, "pts" | "duration" | "rgb" | "width" | "height">;

/** How to write a video. */
export interface WriteOptions {
  /** Key and text pairs for the file's metadata, such as `comment`; a gif has no place for them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Overrides of encoder options by FFmpeg's names, e.g. `{ crf: "18", preset: "fast" }`. */
  readonly encoderOptions?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface WrittenVideo {
  readonly path: string;
  readonly frames: number;
  /** Audio streams copied. */
  readonly audioStreams: number;
}

/**
 * Throws a UserError of one sentence if an edit of `source` cannot be written to `output`:
 * unknown extension, missing or read-only folder, the input itself, a frame rate the container
 * cannot hold. Costs nothing, so it can be asked before a model is loaded.
 */
export async function checkOutput(source: VideoInfo, output: string): Promise<void> {
  const container = containerFor(output);
  await requireWritable(output, source.path);
  if (container.clock === "frame-number" && source.variableFrameRate === true) {
    throw new UserError(
      `${container.label} cannot hold the variable frame rate of ${source.path}: ` +
        `write .mp4 or .mkv instead.`,
    );
  }
}

/**
 * Writes edited pictures as a video that otherwise equals `source`: timestamps, size, rotation,
 * colour tags, metadata and, packet by packet, its audio.
 *
 * Pictures are H.264 (VP9 in webm, 256 colours each in gif) near visually lossless. Where a
 * container cannot say a rotation (avi, gif), the pixels are turned instead.
 */
export async function writeEdited(
  source: VideoInfo,
  output: string,
  frames: AsyncIterable<EditedFrame>,
  options: WriteOptions = {},
): Promise<WrittenVideo> {
  await checkOutput(source, output);
  const container = containerFor(output);
  await using media = await openMedia(source.path);
  const offset = clockOffset(media);
  const toTicks = rescale(offset, microseconds, source.timeBase);
  const store = storedPicture(source, container);
  return await writeAtomically(output, async (temporary) => {
    await using video = await VideoOutput.create(
      temporary,
      container,
      store.picture,
      options.encoderOptions,
    );
    using audio = container.carriesAudio
      ? new AudioCopy(media, video.context, {
          offsetMicroseconds: offset,
          earliestSeconds: container.earliestAudioSeconds,
        })
      : undefined;
    await begin(video, { ...sourceMetadata(media), ...options.metadata }, source, container);
    let count = 0;
    for await (const frame of frames) {
      options.signal?.throwIfAborted();
      requireSize(frame, source, count);
      const pts = frame.pts - toTicks;
      await audio?.copyUntil(seconds(pts, source.timeBase));
      await video.write(store.turn(frame.rgb), pts, frame.duration);
      count++;
    }
    options.signal?.throwIfAborted();
    if (count === 0) throw new DataError(`${source.path} gave no picture to write.`);
    await audio?.copyUntil(Infinity);
    await video.finish();
    return { path: output, frames: count, audioStreams: audio ? media.audio.length : 0 };
  });
}

/** Writes a new video from packed RGB pictures, `height × width × 3`, at a constant frame rate. */
export async function writeVideo(
  path: string,
  frames: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { width, height, fps, metadata = {}, encoderOptions, signal }: NewVideoOptions,
): Promise<WrittenVideo> {
  const container = containerFor(path);
  await requireWritable(path);
  const frameRate = exactRate(fps);
  const timeBase = { num: frameRate.den, den: frameRate.num };
  const picture: OutputPicture = {
    width,
    height,
    frameRate,
    timeBase,
    colour: standardColour,
    sampleAspectRatio: { num: 1, den: 1 },
    displayMatrix: null,
  };
  return writeAtomically(path, async (temporary) => {
    await using video = await VideoOutput.create(temporary, container, picture, encoderOptions);
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
    return { path, frames: count, audioStreams: 0 };
  });
}

/** How to write a new video: sizes in pixels, `fps` pictures a second. */
export interface NewVideoOptions extends WriteOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const microseconds: TimeBase = { num: 1, den: 1_000_000 };

/** How pictures are stored: turned back if the container carries the rotation, upright if not. */
function storedPicture(source: VideoInfo, container: Container) {
  const { codedWidth, codedHeight, sampleAspectRatio: aspect } = source;
  const isTurned = source.rotation !== 0 || source.mirrored;
  const keepsRotation = container.carriesRotation;
  const isSideways = !keepsRotation && source.rotation % 180 !== 0;
  const picture: OutputPicture = {
    width: keepsRotation ? codedWidth : source.width,
    height: keepsRotation ? codedHeight : source.height,
    colour: source.colour,
    frameRate: source.frameRate,
    timeBase: source.timeBase,
    sampleAspectRatio: isSideways && aspect.num > 0 ? { num: aspect.den, den: aspect.num } : aspect,
    displayMatrix: keepsRotation ? source.displayMatrix : null,
  };
  const turn = (rgb: Uint8Array): Uint8Array =>
    isTurned && keepsRotation ? turnBack(rgb, codedWidth, codedHeight, source) : rgb;
  return { picture, turn };
}

async function begin(
  video: VideoOutput,
  metadata: Readonly<Record<string, string>>,
  source: VideoInfo,
  container: Container,
): Promise<void> {
  try {
    await video.begin(metadata);
  } catch (error) {
    if (!source.hasAudio || !container.carriesAudio) throw error;
    throw new UserError(
      `${container.label} cannot hold the ${source.audioCodecs.join(" and ")} audio of ` +
        `${source.path}: write .mkv instead.`,
      { cause: error },
    );
  }
}

/** Broadcast streams count from an arbitrary moment; other files from their own zero. */
function clockOffset({ context }: OpenMedia): bigint {
  const flags: number = context.iformat?.flags ?? 0;
  return (flags & AVFMT_TS_DISCONT) !== 0 ? context.startTime : 0n;
}

function sourceMetadata({ context }: OpenMedia): Record<string, string> {
  const aboutTheOldFile = new Set(["major_brand", "minor_version", "compatible_brands", "encoder"]);
  const all = Object.entries(context.metadata?.getAll() ?? {});
  return Object.fromEntries(all.filter(([key]) => !aboutTheOldFile.has(key.toLowerCase())));
}

function requireSize(
  { rgb, width, height }: Pick<EditedFrame, "rgb" | "width" | "height">,
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

/** `fps` as a fraction: whole, a broadcast rate over 1001, or in thousandths. */
function exactRate(fps: number): TimeBase {
  invariant(fps > 0 && Number.isFinite(fps), `frame rate ${fps} must be positive`);
  const broadcast = Math.round((fps * 1001) / 1000) * 1000;
  if (Number.isInteger(fps)) return { num: fps, den: 1 };
  if (Math.abs(broadcast / 1001 - fps) < 0.005) return { num: broadcast, den: 1001 };
  return { num: Math.round(fps * 1000), den: 1000 };
}
