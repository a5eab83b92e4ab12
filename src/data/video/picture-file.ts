import { crc32 } from "node:zlib";
import {
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUV444P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_SMPTE170M,
  type AVPixelFormat,
  FF_ENCODER_MJPEG,
  FF_ENCODER_PNG,
  type FFEncoderCodec,
} from "node-av/constants";
import { invariant } from "../../engine/errors.ts";
import { type ColourTags, rgbColour, standardColour } from "./colour.ts";
import { PictureEncoder } from "./encoder.ts";
import { PictureConverter } from "./picture.ts";
import type { TimeBase } from "./time-base.ts";
import { xmpPacket } from "./xmp.ts";

/** The kinds of picture file that an edit is written to. */
export type PictureKind = "png" | "jpg";

/** What a picture file says of itself. */
export interface PictureText {
  readonly comment?: string | undefined;
  /** IPTC's word (a URI) for how the picture came to be. */
  readonly digitalSourceType?: string | undefined;
}

interface KindTable {
  readonly encoder: FFEncoderCodec;
  readonly format: AVPixelFormat;
  readonly colour: ColourTags;
  readonly options: Readonly<Record<string, string>>;
  readonly withText: (bytes: Buffer, text: PictureText) => Buffer;
}

const kinds: Readonly<Record<PictureKind, KindTable>> = {
  png: {
    encoder: FF_ENCODER_PNG,
    format: AV_PIX_FMT_RGB24,
    colour: rgbColour,
    options: { compression_level: "4" },
    withText: pngWithText,
  },
  jpg: {
    encoder: FF_ENCODER_MJPEG,
    format: AV_PIX_FMT_YUV444P,
    // JPEG files are BT.601 in full range.
    colour: { ...standardColour, space: AVCOL_SPC_SMPTE170M, range: AVCOL_RANGE_JPEG },
    options: { qmin: "2", qmax: "2", color_range: "pc" },
    withText: jpegWithText,
  },
};

/** Turns RGB pictures of one size into PNG or JPEG files in memory. */
export class PictureFiles implements Disposable {
  readonly #encoder: PictureEncoder;
  readonly #converter = new PictureConverter();
  readonly #kind: KindTable;
  readonly #size: { readonly width: number; readonly height: number };
  #count = 0n;

  private constructor(
    encoder: PictureEncoder,
    kind: KindTable,
    size: { readonly width: number; readonly height: number },
  ) {
    this.#encoder = encoder;
    this.#kind = kind;
    this.#size = size;
  }

  static async open(
    kind: PictureKind,
    size: { readonly width: number; readonly height: number },
    sampleAspectRatio: TimeBase,
  ): Promise<PictureFiles> {
    const table = kinds[kind];
    const encoder = await PictureEncoder.open(table.encoder, {
      ...size,
      format: table.format,
      colour: table.colour,
      timeBase: { num: 1, den: 25 },
      frameRate: { num: 25, den: 1 },
      sampleAspectRatio,
      options: table.options,
      globalHeader: false,
      // More would hold pictures back, and a file is wanted at once.
      threads: 1,
    });
    return new PictureFiles(encoder, table, size);
  }

  /** The bytes of a picture file, from packed RGB. */
  async encode(rgb: Uint8Array, text: PictureText): Promise<Buffer> {
    const { format, colour, withText } = this.#kind;
    using frame = await this.#converter.fromRgb(rgb, this.#size, format, colour);
    frame.pts = this.#count++;
    for await (const packet of this.#encoder.encode(frame)) {
      invariant(packet.data, "an encoded picture has bytes");
      return withText(Buffer.from(packet.data), text);
    }
    throw new Error("internal error: a picture encoder gives a picture for each");
  }

  [Symbol.dispose](): void {
    this.#converter[Symbol.dispose]();
    this.#encoder[Symbol.dispose]();
  }
}

/** Text chunks go right behind the first chunk, which is of 25 bytes and follows a signature of 8. */
function pngWithText(png: Buffer, { comment, digitalSourceType }: PictureText): Buffer {
  const at = 8 + 25;
  const chunks = [
    ...(comment === undefined ? [] : [pngText("Comment", comment)]),
    ...(digitalSourceType === undefined
      ? []
      : [pngText("XML:com.adobe.xmp", xmpPacket(digitalSourceType))]),
  ];
  return Buffer.concat([png.subarray(0, at), ...chunks, png.subarray(at)]);
}

/** An `iTXt` chunk: keyword, no compression, no language, UTF-8. */
function pngText(keyword: string, text: string): Buffer {
  const body = Buffer.from(`iTXt${keyword}\0\0\0\0\0${text}`);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Segments go right behind the two bytes that begin a JPEG, or behind its JFIF segment. */
function jpegWithText(jpeg: Buffer, { comment, digitalSourceType }: PictureText): Buffer {
  const isJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  const at = isJfif ? 4 + jpeg.readUInt16BE(4) : 2;
  const xmp = (packet: string) => jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${packet}`);
  const segments = [
    ...(digitalSourceType === undefined ? [] : [xmp(xmpPacket(digitalSourceType))]),
    ...(comment === undefined ? [] : [jpegSegment(0xfe, comment)]),
  ];
  return Buffer.concat([jpeg.subarray(0, at), ...segments, jpeg.subarray(at)]);
}

function jpegSegment(marker: number, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}
