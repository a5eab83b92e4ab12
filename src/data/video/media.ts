import { access, constants as mode, open, stat } from "node:fs/promises";
import { constants } from "node:os";
import { basename, resolve } from "node:path";
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_LOG_QUIET,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVDISCARD_ALL,
  AVFMT_TS_DISCONT,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
} from "node-av/constants";
import { Dictionary, FFmpegError, FormatContext, Log, type Stream } from "node-av/lib";
import { DataError, UserError } from "../../engine/errors.ts";
import { requireReadableSize } from "../most-pixels.ts";
import { statedMp4Size } from "./boxes.ts";
import { statedMatroskaSize } from "./matroska-size.ts";
import { rescale, seconds, type TimeBase } from "./time-base.ts";

// FFmpeg prints to stderr on its own; what went wrong reaches the user as one sentence of ours.
Log.setLevel(AV_LOG_QUIET);

/** A media file open for reading, with the one video stream that is shown; closes when disposed. */
export interface OpenMedia extends AsyncDisposable {
  readonly context: FormatContext;
  readonly video: Stream;
  readonly audio: readonly Stream[];
  readonly subtitles: readonly Stream[];
  /** How the container says to turn the picture (36 bytes), `null` if it says nothing. */
  readonly displayMatrix: Uint8Array | null;
}

const errorNumbers = constants.errno;

/** Demuxers that read text, playlists or single pictures: FFmpeg opens them, but they are no video. */
const notVideo = /^(tty|concat|hls|dash|sdp|image2|.*_pipe)\b/;

/**
 * Opens a video file of any container FFmpeg reads.
 *
 * Throws a UserError of one sentence for a missing, unreadable, empty or directory path, for what
 * is no video, is cut off before its index, or has no picture (audio only).
 */
export async function openMedia(path: string): Promise<OpenMedia> {
  const name = basename(path);
  await requireReadableFile(path);
  const context = new FormatContext();
  try {
    using options = Dictionary.fromObject({ protocol_whitelist: "file" });
    const opened = await context.openInput(resolve(path), null, options);
    if (opened < 0) throw await unreadable(path, FFmpegError.strerror(opened));
    const container = context.iformat?.name ?? "unknown";
    if (notVideo.test(container)) throw notAVideo(name);
    const found = await context.findStreamInfo();
    if (found < 0) throw await unreadable(path, FFmpegError.strerror(found));
    const { video, audio, subtitles } = chooseStreams(context);
    if (!video) throw await withoutPicture(path, audio.length > 0);
    requireReadableSize(name, video.codecpar);
    await requireWholeMatroska(path, container);
    await requireWholeMp4(path, container);
    const displayMatrix = video.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX);
    return {
      context,
      video,
      audio,
      subtitles,
      displayMatrix: displayMatrix && Uint8Array.from(displayMatrix),
      [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
    };
  } catch (error) {
    await context[Symbol.asyncDispose]();
    throw error;
  }
}

/** Lets the demuxer skip every stream but `wanted`, which makes reading cheaper. */
export function discardOthers({ context }: OpenMedia, wanted: readonly Stream[]): void {
  const indices = new Set(wanted.map((stream) => stream.index));
  for (const stream of context.streams) {
    if (!indices.has(stream.index)) stream.discard = AVDISCARD_ALL;
  }
}

/**
 * When the last picture, which starts at `last.start`, ends, in ticks of the stream.
 *
 * The stream's own end where the container states one after that start: packets of mp4 and mov
 * carry the gap to the next in decoding order, which is not how long the picture is shown. Matroska
 * states none, and FFmpeg takes the end of the file, of its sound, for that of a few pictures.
 */
export function endOfVideo(
  { context, video }: OpenMedia,
  last: { start: bigint; duration: bigint },
): bigint {
  const { startTime, duration } = video;
  const isStated =
    startTime !== AV_NOPTS_VALUE &&
    duration !== AV_NOPTS_VALUE &&
    duration > 0n &&
    !isMatroska(context);
  if (isStated && startTime + duration > last.start) return startTime + duration;
  if (last.duration > 0n) return last.start + last.duration;
  const { num, den } = video.avgFrameRate;
  const usual = num > 0 ? rescale(1n, { num: den, den: num }, video.timeBase) : 1n;
  return last.start + usual;
}

/**
 * Throws a DataError if the pictures stop at `end` (ticks) long before the container says.
 *
 * Only Matroska needs this: its demuxer takes damage for the end of the file.
 */
export function requireStatedEnd({ context, video, audio }: OpenMedia, end: bigint): void {
  if (!isMatroska(context)) return;
  const [, hours, minutes, rest] =
    /^(\d+):(\d+):([\d.]+)$/.exec(video.metadata?.get("DURATION") ?? "") ?? [];
  const tagged = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  const whole = audio.length === 0 ? Number(context.duration) / 1e6 : NaN;
  const stated = Number.isNaN(tagged) ? whole : tagged;
  const reached = seconds(end, video.timeBase);
  if (!(reached < stated - 0.5)) return;
  throw new DataError(
    `${basename(context.url ?? "The input")} is damaged: its pictures end at ` +
      `${reached.toFixed(2)} s of ${stated.toFixed(2)} s; cut it there or re-encode it first.`,
  );
}

function isMatroska({ iformat }: FormatContext): boolean {
  return iformat?.name?.startsWith("matroska") ?? false;
}

/** Pixel width over pixel height, `0/1` if unknown: what the container says, else what the codec says. */
export function sampleAspectOf({ sampleAspectRatio, codecpar }: Stream): TimeBase {
  const stated = sampleAspectRatio.num > 0 ? sampleAspectRatio : codecpar.sampleAspectRatio;
  return { num: stated.num, den: stated.den };
}

/** Broadcast streams count from an arbitrary moment, in microseconds; other files from their own zero. */
export function clockOffset({ context }: OpenMedia): bigint {
  const flags: number = context.iformat?.flags ?? 0;
  return (flags & AVFMT_TS_DISCONT) !== 0 ? context.startTime : 0n;
}

/** Throws what FFmpeg returned, if it is an error, as a DataError that says during what, with the system's `code`. */
export function check(result: number, during: string): void {
  if (result >= 0) return;
  const error = new DataError(`${during} failed: ${FFmpegError.strerror(result)}.`);
  const system = Object.entries(errorNumbers).find(([, number]) => number === -result);
  throw system ? Object.assign(error, { code: system[0] }) : error;
}

function chooseStreams(context: FormatContext) {
  const ofType = (type: number) =>
    context.streams.filter((stream) => stream.codecpar.codecType === type);
  const isPicture = ({ codecpar }: Stream) => codecpar.width > 0 && codecpar.height > 0;
  const videos = ofType(AVMEDIA_TYPE_VIDEO).filter(
    (stream) => !stream.hasDisposition(AV_DISPOSITION_ATTACHED_PIC) && isPicture(stream),
  );
  const best = context.findBestStream(AVMEDIA_TYPE_VIDEO);
  const video = videos.find((stream) => stream.index === best) ?? videos[0];
  return { video, audio: ofType(AVMEDIA_TYPE_AUDIO), subtitles: ofType(AVMEDIA_TYPE_SUBTITLE) };
}

async function withoutPicture(path: string, hasAudio: boolean): Promise<UserError> {
  const name = basename(path);
  if (hasAudio) {
    return new UserError(`${name} has only audio, no picture to edit: give a video file.`);
  }
  return await unreadable(path, "it names no video stream");
}

/** Throws a DataError for a Matroska or WebM file that is shorter than it says: cut off in copying. */
async function requireWholeMatroska(path: string, container: string): Promise<void> {
  if (!container.startsWith("matroska")) return;
  const { size } = await stat(path);
  const stated = await statedMatroskaSize(path);
  if (stated === undefined || stated <= size) return;
  throw new DataError(
    `${basename(path)} is cut off: it says it has ${stated} bytes and has ${size}; get it again.`,
  );
}

/** Throws a DataError for an mp4 or mov whose pictures and sound lie beyond its end. */
async function requireWholeMp4(path: string, container: string): Promise<void> {
  if (!container.startsWith("mov")) return;
  await using file = await open(path);
  const { size } = await file.stat();
  const stated = await statedMp4Size(file, size);
  if (stated <= size) return;
  throw new DataError(
    `${basename(path)} is cut off: it says it has ${stated} bytes and has ${size}; get it again.`,
  );
}

async function requireReadableFile(path: string): Promise<void> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EACCES") throw new UserError(`Cannot read ${path}: permission denied.`);
    throw new UserError(`There is no file ${path}: check the path.`, { cause: error });
  });
  if (status.isDirectory()) throw new UserError(`${path} is a directory: give a video file.`);
  if (!status.isFile()) throw new UserError(`${path} is no ordinary file: give a video file.`);
  if (status.size === 0) throw new UserError(`${path} is empty (0 bytes): give a video file.`);
  await access(path, mode.R_OK).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: permission denied.`, { cause: error });
  });
}

function notAVideo(name: string): UserError {
  return new UserError(
    `${name} is not a video: give a file such as mp4, mov, webm, mkv, avi or gif, a picture, or a folder of pictures.`,
  );
}

async function unreadable(path: string, reason: string): Promise<UserError> {
  const name = basename(path);
  if (!(await looksLikeVideo(path))) return notAVideo(name);
  return new UserError(
    `${name} is cut off or damaged: its header or index cannot be read (${reason}).`,
  );
}

/** Whether the first bytes are those of mp4/mov, Matroska, AVI or GIF. */
async function looksLikeVideo(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
  const head = buffer.subarray(0, bytesRead);
  const isMp4 = /^(ftyp|moov|mdat|wide|free)$/.test(head.toString("latin1", 4, 8));
  return isMp4 || /^(1a45dfa3|52494646|47494638)/.test(head.toString("hex"));
}
