import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  AV_CODEC_ID_VP8,
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_CORRUPT,
  AV_PKT_FLAG_DISCARD,
  AVERROR_EOF,
} from "node-av/constants";
import { avGetCodecName, Packet } from "node-av/lib";
import { DataError } from "../../engine/errors.ts";
import { readPicture } from "../image/read-picture.ts";
import { outputColour } from "./colour.ts";
import {
  clockOffset,
  discardOthers,
  endOfVideo,
  requireStatedEnd,
  type OpenMedia,
  openMedia,
  sampleAspectOf,
} from "./media.ts";
import { InterlaceFinder } from "./interlacing.ts";
import { orientationOf, turnedSize, upright } from "./orientation.ts";
import { isRgbFormat } from "./picture.ts";
import { pictureInfo } from "./picture-info.ts";
import { pictureRate, type PictureSource, pictureSourceAt } from "./picture-source.ts";
import { contentsOf } from "./source-contents.ts";
import { isVariable, seconds } from "./time-base.ts";
import type { VideoInfo } from "./video-info.ts";

/** The same of a file, or of a folder of pictures. */
export interface FileInfo extends VideoInfo {
  readonly path: string;
}

/**
 * Reads what a video file holds; its packets are listed, and the first few decoded. A picture, or a folder of them, is a video
 * of these.
 *
 * Throws a UserError of one sentence for everything that is no readable video file, a DataError
 * that names the frame for one whose packets break off.
 */
export async function probeVideo(path: string): Promise<FileInfo> {
  const pictures = await pictureSourceAt(path);
  if (pictures) return await probePictures(path, pictures);
  await using media = await openMedia(path);
  const { video, audio, context, displayMatrix } = media;
  const { codecpar, timeBase, avgFrameRate, rFrameRate } = video;
  const orientation = displayMatrix ? orientationOf(displayMatrix) : upright;
  const timing = await listTiming(media, path);
  const { num, den } = [avgFrameRate, rFrameRate].find((rate) => rate.num > 0 && rate.den > 0) ?? {
    num: 25,
    den: 1,
  };
  return {
    name: path,
    path,
    ...turnedSize(codecpar.width, codecpar.height, orientation),
    codedWidth: codecpar.width,
    codedHeight: codecpar.height,
    rotation: orientation.rotation,
    mirrored: orientation.mirrored,
    isInterlaced: timing.isInterlaced,
    displayMatrix,
    frames: codecpar.codecId === AV_CODEC_ID_VP8 ? null : timing.frames,
    durationSeconds: timing.durationSeconds,
    startSeconds: timing.startSeconds - Number(clockOffset(media)) / 1e6,
    averageFps: timing.durationSeconds > 0 ? timing.frames / timing.durationSeconds : num / den,
    frameRate: { num, den },
    variableFrameRate: timing.variable,
    pictures: null,
    timeBase: { num: timeBase.num, den: timeBase.den },
    sampleAspectRatio: sampleAspectOf(video),
    colour: outputColour(codecpar, isRgbFormat(codecpar.format)),
    hasAudio: audio.length > 0,
    audioCodecs: audio.map((stream) => avGetCodecName(stream.codecpar.codecId) ?? "unknown"),
    codec: avGetCodecName(codecpar.codecId) ?? "unknown",
    container: context.iformat?.name ?? "unknown",
    ...(await contentsOf(media, path)),
  };
}

/** What can be told of pictures by the first of them. */
async function probePictures(path: string, source: PictureSource): Promise<FileInfo> {
  const { files, timeBase, shown, isUntimed } = source;
  const { width, height, isOpaque } = await readPicture(files[0]!);
  const [first, last] = [shown[0]!, shown.at(-1)!];
  const frameRate = pictureRate(source);
  const end = last.pts + last.duration;
  const durationSeconds = seconds(end - first.pts, timeBase);
  return pictureInfo({
    name: path,
    path,
    width,
    height,
    frames: files.length,
    durationSeconds,
    averageFps: files.length / durationSeconds,
    frameRate,
    variableFrameRate: isVariable([...shown.map(({ pts }) => pts), end], timeBase),
    pictures: isUntimed ? "untimed" : "timed",
    timeBase,
    hasAlpha: !isOpaque,
  });
}

interface Timing {
  readonly frames: number;
  readonly startSeconds: number;
  readonly durationSeconds: number;
  readonly variable: boolean | undefined;
  readonly isInterlaced: boolean;
}

/** Lists the timestamps of all shown pictures; lets other work run every 256 packets. */
async function listTiming(media: OpenMedia, path: string): Promise<Timing> {
  const { context, video } = media;
  discardOthers(media, [video]);
  const starts: bigint[] = [];
  let frames = 0;
  let last = { start: AV_NOPTS_VALUE, duration: 0n };
  using fields = await InterlaceFinder.open(video, basename(path));
  using packet = new Packet();
  packet.alloc();
  for (let count = 1; ; count++, packet.unref()) {
    if (count % 256 === 0) await setImmediate();
    const read = context.readFrameSync(packet);
    if (read === AVERROR_EOF) break;
    if (read < 0 || packet.hasFlags(AV_PKT_FLAG_CORRUPT)) {
      throw new DataError(
        `${basename(path)} is damaged or cut off after ${frames} frames; ` +
          `cut it there or re-encode it first.`,
      );
    }
    if (packet.streamIndex !== video.index) continue;
    await fields.add(packet);
    if (packet.hasFlags(AV_PKT_FLAG_DISCARD)) continue;
    frames++;
    const start = packet.pts === AV_NOPTS_VALUE ? packet.dts : packet.pts;
    if (start === AV_NOPTS_VALUE) continue;
    starts.push(start);
    if (start > last.start) last = { start, duration: packet.duration };
  }
  const { isInterlaced } = fields;
  if (frames === 0 || starts.length < frames) {
    return { frames, startSeconds: 0, durationSeconds: 0, variable: undefined, isInterlaced };
  }
  starts.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  const end = endOfVideo(media, last);
  requireStatedEnd(media, end);
  return {
    frames,
    startSeconds: seconds(starts[0]!, video.timeBase),
    durationSeconds: seconds(end - starts[0]!, video.timeBase),
    variable: isVariable(starts, video.timeBase),
    isInterlaced,
  };
}
