import {
  AV_PIX_FMT_BGR0,
  AV_PIX_FMT_GBRP,
  AV_PIX_FMT_PAL8,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV422P10LE,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUV444P10LE,
  type AVPixelFormat,
  FF_ENCODER_FFV1,
  FF_ENCODER_GIF,
  FF_ENCODER_LIBSVTAV1,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX264RGB,
  FF_ENCODER_LIBX265,
  FF_ENCODER_PRORES_KS,
  type FFEncoderCodec,
} from "node-av/constants";
import { UserError } from "../../engine/errors.ts";
import { processorFlags, readCpuInfo } from "../../engine/processor.ts";
import { THREADS } from "./encoder.ts";

/** The codecs that pictures can be written in; `gif` in GIF files alone. */
export const CODECS = ["h264", "hevc", "av1", "vp9", "prores", "ffv1", "gif"] as const;
/** The name of a codec for pictures. */
export type Codec = (typeof CODECS)[number];

/** How much of the pictures is kept: from a quick look to every bit. */
export const QUALITIES = ["draft", "good", "best", "lossless"] as const;
/** The name of how much of the pictures is kept. */
export type Quality = (typeof QUALITIES)[number];

/** An encoder, set up. */
export interface Encoding {
  readonly codec: Codec;
  readonly quality: Quality | number;
  readonly encoder: FFEncoderCodec;
  readonly format: AVPixelFormat;
  /** Encoder options by FFmpeg's names. */
  readonly options: Readonly<Record<string, string>>;
  /** The four letters that name the codec in mp4 and mov where FFmpeg's own choice plays in fewer places. */
  readonly tag?: string;
  /** Whether the numbers may use the full range 0–255 and say so. */
  readonly fullRange: boolean;
}

type Options = Readonly<Record<string, string>>;
interface Size {
  readonly width: number;
  readonly height: number;
}

/** What one codec is set to. */
interface CodecTable {
  readonly encoder: FFEncoderCodec;
  /** Options at each quality but lossless. */
  readonly presets: Readonly<Record<Exclude<Quality, "lossless">, Options>>;
  /** Options where the quality is a number, and the largest one; absent where the codec knows none. */
  readonly crf?: { readonly options: Options; readonly largest: number };
  readonly lossless?: Pick<Encoding, "encoder" | "format" | "options">;
  /** The least size as stored. */
  readonly smallest: Size;
  readonly format: (size: Size, quality: Encoding["quality"]) => AVPixelFormat;
  readonly tag?: string;
  readonly fullRange?: false;
}

/** 4:2:0 for even sizes; odd ones, which H.264 and HEVC cannot say in 4:2:0, in 4:4:4. */
const evenOr444 = ({ width, height }: Size) =>
  width % 2 === 1 || height % 2 === 1 ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_YUV420P;
const always = (format: AVPixelFormat) => () => format;
const withCrf = (options: Options, crf: string): Options => ({ ...options, crf });

// With AVX-512, x264's look-ahead draws other pictures from run to run; without it, as fast and always the same.
const x264Params: Options = processorFlags(readCpuInfo()).has("avx512f")
  ? { "x264-params": "asm=AVX2" }
  : {};
const h264 = (preset: string): Options => ({ preset, ...x264Params });

// Left to itself x265 prints on its own; threads are fixed because they decide what it draws.
const x265 = `log-level=none:pools=${THREADS}:frame-threads=2`;
const hevc = (preset: string): Options => ({ preset, "x265-params": x265 });
const vp9 = (speed: string): Options => ({
  b: "0",
  "cpu-used": speed,
  "row-mt": "1",
  deadline: "good",
});
const ffv1: Options = { level: "3", slices: "4", slicecrc: "1" };

const tables: Readonly<Record<Codec, CodecTable>> = {
  h264: {
    encoder: FF_ENCODER_LIBX264,
    presets: {
      draft: withCrf(h264("veryfast"), "28"),
      good: withCrf(h264("veryfast"), "14"),
      best: withCrf(h264("medium"), "12"),
    },
    crf: { options: h264("medium"), largest: 51 },
    lossless: {
      encoder: FF_ENCODER_LIBX264RGB,
      format: AV_PIX_FMT_RGB24,
      options: { ...h264("faster"), qp: "0" },
    },
    smallest: { width: 1, height: 1 },
    format: evenOr444,
  },
  hevc: {
    encoder: FF_ENCODER_LIBX265,
    presets: {
      draft: withCrf(hevc("superfast"), "30"),
      good: withCrf(hevc("fast"), "20"),
      best: withCrf(hevc("medium"), "14"),
    },
    crf: { options: hevc("medium"), largest: 51 },
    lossless: {
      encoder: FF_ENCODER_LIBX265,
      format: AV_PIX_FMT_GBRP,
      options: { preset: "fast", "x265-params": `${x265}:lossless=1` },
    },
    // Narrower than a block of 64, this x265 writes beyond its memory.
    smallest: { width: 64, height: 16 },
    format: evenOr444,
    tag: "hvc1",
  },
  av1: {
    encoder: FF_ENCODER_LIBSVTAV1,
    presets: {
      draft: { crf: "42", preset: "12" },
      good: { crf: "26", preset: "9" },
      best: { crf: "15", preset: "6" },
    },
    crf: { options: { preset: "8" }, largest: 63 },
    // At 16 lines or columns SVT-AV1 reads beyond its memory.
    smallest: { width: 32, height: 32 },
    format: always(AV_PIX_FMT_YUV420P),
  },
  vp9: {
    encoder: FF_ENCODER_LIBVPX_VP9,
    presets: {
      draft: withCrf(vp9("8"), "40"),
      good: withCrf(vp9("5"), "24"),
      best: withCrf(vp9("4"), "14"),
    },
    crf: { options: vp9("4"), largest: 63 },
    lossless: {
      encoder: FF_ENCODER_LIBVPX_VP9,
      format: AV_PIX_FMT_GBRP,
      options: { ...vp9("4"), lossless: "1" },
    },
    smallest: { width: 1, height: 1 },
    format: always(AV_PIX_FMT_YUV420P),
  },
  prores: {
    encoder: FF_ENCODER_PRORES_KS,
    presets: { draft: { profile: "0" }, good: { profile: "3" }, best: { profile: "4" } },
    smallest: { width: 1, height: 1 },
    format: (_, quality) => (quality === "best" ? AV_PIX_FMT_YUV444P10LE : AV_PIX_FMT_YUV422P10LE),
    fullRange: false,
  },
  ffv1: {
    encoder: FF_ENCODER_FFV1,
    presets: { draft: ffv1, good: ffv1, best: ffv1 },
    lossless: { encoder: FF_ENCODER_FFV1, format: AV_PIX_FMT_BGR0, options: ffv1 },
    smallest: { width: 2, height: 2 },
    format: always(AV_PIX_FMT_BGR0),
  },
  gif: {
    encoder: FF_ENCODER_GIF,
    presets: { draft: {}, good: {}, best: {} },
    smallest: { width: 1, height: 1 },
    format: always(AV_PIX_FMT_PAL8),
  },
};

/**
 * Sets up the encoder for a codec, a quality and a picture of `width × height` as stored.
 *
 * `lossless` stores red, green and blue as they are; a number is the codec's own constant rate factor, where less is
 * better. Throws a UserError for what the codec cannot do, which says what it can.
 */
export function encodingFor(codec: Codec, quality: Quality | number, size: Size): Encoding {
  const table = tables[codec];
  const { smallest } = table;
  if (size.width < smallest.width || size.height < smallest.height) {
    throw new UserError(
      `${codec} needs at least ${smallest.width} × ${smallest.height} pixels, ` +
        `and the video has ${size.width} × ${size.height}: choose h264 or vp9.`,
    );
  }
  const base = {
    codec,
    quality,
    ...(table.tag === undefined ? {} : { tag: table.tag }),
    fullRange: table.fullRange ?? true,
  };
  if (quality === "lossless") return { ...base, ...losslessOf(codec, table) };
  const { encoder } = table;
  const options =
    typeof quality === "number" ? crfOf(codec, table, quality) : table.presets[quality];
  return { ...base, encoder, options, format: table.format(size, quality) };
}

function losslessOf(codec: Codec, { lossless }: CodecTable) {
  if (lossless) return lossless;
  const able = CODECS.filter((name) => tables[name].lossless !== undefined);
  throw new UserError(`${codec} cannot keep every bit: lossless works with ${able.join(", ")}.`);
}

function crfOf(codec: Codec, { crf }: CodecTable, value: number): Options {
  if (!crf) {
    throw new UserError(`${codec} has no number for quality: choose draft, good or best.`);
  }
  if (!(value >= 0 && value <= crf.largest)) {
    throw new UserError(
      `The quality of ${codec} is a number from 0 (best) to ${crf.largest}, got ${value}.`,
    );
  }
  return withCrf(crf.options, String(value));
}

/** What a user says of quality, as `name`: a word or a number; throws a UserError for anything else. */
export function readQuality(text: string, name = "--quality"): Quality | number {
  const named = QUALITIES.find((quality) => quality === text);
  if (named) return named;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UserError(
    `${name}: expected ${QUALITIES.join(", ")} or the codec's number (CRF), got "${text.slice(0, 60)}"`,
  );
}

/** The codec that a user says, as `name`; throws a UserError for any other. */
export function readCodec(text: string, name = "--codec"): Codec {
  const named = CODECS.find((codec) => codec === text);
  if (named) return named;
  throw new UserError(`${name}: expected one of ${CODECS.join(", ")}, got "${text.slice(0, 60)}"`);
}
