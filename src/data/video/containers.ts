import { extname } from "node:path";
import {
  AV_PIX_FMT_PAL8,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV444P,
  type AVPixelFormat,
  FF_ENCODER_GIF,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  type FFEncoderCodec,
} from "node-av/constants";
import { UserError } from "../../engine/errors.ts";

/** How video is coded in one kind of file. */
export interface Container {
  /** FFmpeg's name of the muxer. */
  readonly muxer: string;
  readonly label: string;
  readonly encoder: FFEncoderCodec;
  /** Encoder options at the default quality, near visually lossless. */
  readonly encoderOptions: Readonly<Record<string, string>>;
  readonly muxerOptions: Readonly<Record<string, string>>;
  /**
   * What timestamps are written in: the source's own ticks (rounded by Matroska to 1 ms),
   * hundredths of a second, or frame numbers (constant frame rate only).
   */
  readonly clock: "source" | "centiseconds" | "frame-number";
  readonly carriesAudio: boolean;
  /**
   * How far before the start audio may be stored that is decoded and not heard: any distance with
   * an edit list, a codec's delay in Matroska, not at all in AVI.
   */
  readonly earliestAudioSeconds: number;
  /** Whether it can say how to turn the picture; where it cannot, the pixels are turned. */
  readonly carriesRotation: boolean;
}

const x264 = { crf: "12", preset: "medium" };

const mp4: Container = {
  muxer: "mp4",
  label: "MP4",
  encoder: FF_ENCODER_LIBX264,
  encoderOptions: x264,
  muxerOptions: { movflags: "+faststart" },
  clock: "source",
  carriesAudio: true,
  earliestAudioSeconds: -Infinity,
  carriesRotation: true,
};

const matroska: Container = {
  ...mp4,
  muxer: "matroska",
  label: "Matroska",
  // Without it the muxer gives every file an identity of its own, drawn at random.
  muxerOptions: { fflags: "+bitexact" },
  earliestAudioSeconds: -0.1,
};

const containers: Readonly<Record<string, Container>> = {
  ".mp4": mp4,
  ".m4v": mp4,
  ".mov": { ...mp4, muxer: "mov", label: "QuickTime" },
  ".mkv": matroska,
  ".webm": {
    ...matroska,
    muxer: "webm",
    label: "WebM",
    encoder: FF_ENCODER_LIBVPX_VP9,
    encoderOptions: { crf: "14", b: "0", "cpu-used": "4", "row-mt": "1", deadline: "good" },
  },
  ".avi": {
    ...matroska,
    muxer: "avi",
    label: "AVI",
    // AVI has no presentation times: pictures must be stored in the order they are shown.
    encoderOptions: { ...x264, bf: "0" },
    clock: "frame-number",
    earliestAudioSeconds: 0,
    carriesRotation: false,
  },
  ".gif": {
    ...matroska,
    muxer: "gif",
    label: "GIF",
    encoder: FF_ENCODER_GIF,
    encoderOptions: {},
    clock: "centiseconds",
    carriesAudio: false,
    carriesRotation: false,
  },
};

/** The container that a file name's extension asks for; throws a UserError for any other. */
export function containerFor(path: string): Container {
  const extension = extname(path).toLowerCase();
  const container = containers[extension];
  if (container) return container;
  const known = Object.keys(containers).join(", ");
  const given = extension === "" ? "no extension" : `the extension ${extension}`;
  throw new UserError(`The output ${path} has ${given}: name it with one of ${known}.`);
}

/**
 * The pixel format for a picture of that size.
 *
 * H.264 in 4:2:0 cannot say an odd width or height, so an odd picture is written in 4:4:4, which
 * FFmpeg, VLC, mpv, Chrome and Firefox play, and QuickTime and Safari do not. VP9 has no such limit.
 */
export function pixelFormatFor(
  { encoder }: Container,
  { width, height }: { width: number; height: number },
): AVPixelFormat {
  if (encoder === FF_ENCODER_GIF) return AV_PIX_FMT_PAL8;
  const isOdd = width % 2 === 1 || height % 2 === 1;
  return encoder === FF_ENCODER_LIBX264 && isOdd ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_YUV420P;
}
