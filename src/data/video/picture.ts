import {
  AV_FRAME_FLAG_INTERLACED,
  AV_PIX_FMT_GBRP,
  AV_PIX_FMT_NONE,
  AV_PIX_FMT_RGB24,
  type AVPixelFormat,
  type AVSampleFormat,
} from "node-av/constants";
import { avGetPixFmtName, Frame, SoftwareScaleContext } from "node-av/lib";
import {
  type ColourTags,
  effectiveChroma,
  effectiveRange,
  effectiveSpace,
  rgbColour,
} from "./colour.ts";
import { check } from "./media.ts";

/** Converts decoded frames to packed RGB and back; keeps FFmpeg's tables between frames. */
export class PictureConverter implements Disposable {
  readonly #scaler = newScaler();
  readonly #interleaver = newScaler();

  /** RGB of a decoded frame, `height × width × 3`, by the matrix and range that the frame is tagged with. */
  async toRgb(decoded: Frame, size: { width: number; height: number }): Promise<Uint8Array> {
    if (!isRgbFormat(decoded.format)) {
      decoded.colorSpace = effectiveSpace(decoded.colorSpace, decoded.height);
      decoded.colorRange = effectiveRange(decoded.colorRange);
      decoded.chromaLocation = effectiveChroma(decoded.chromaLocation);
    }
    // Both fields are one picture to us; FFmpeg would refuse to convert an interlaced frame into one that is not
    decoded.clearFlags(AV_FRAME_FLAG_INTERLACED);
    const colour = {
      ...rgbColour,
      primaries: decoded.colorPrimaries,
      transfer: decoded.colorTrc,
    };
    using rgb = newPicture(size, AV_PIX_FMT_RGB24, colour);
    if (isRgbFormat(decoded.format)) {
      check(await this.#scaler.scaleFrame(rgb, decoded), "Converting a picture to RGB");
      return packedBytes(rgb);
    }
    // Exactly the same by way of planes, for which FFmpeg has vector code: 0.8 ms in place of 2.1 for 512 × 512 pixels.
    using planes = newPicture(size, AV_PIX_FMT_GBRP, colour);
    check(await this.#scaler.scaleFrame(planes, decoded), "Converting a picture to RGB");
    check(this.#interleaver.scaleFrameSync(rgb, planes), "Converting a picture to RGB");
    return packedBytes(rgb);
  }

  /** A frame of `format` tagged `colour` from RGB of `width × height`; the caller disposes it. */
  async fromRgb(
    rgb: Uint8Array,
    { width, height }: { width: number; height: number },
    format: AVPixelFormat,
    colour: ColourTags,
  ): Promise<Frame> {
    const bytes = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
    using source = Frame.fromVideoBuffer(bytes, { width, height, format: AV_PIX_FMT_RGB24 });
    tag(source, { ...rgbColour, primaries: colour.primaries, transfer: colour.transfer });
    const target = newPicture({ width, height }, format, {
      ...colour,
      space: effectiveSpace(colour.space, height),
      range: effectiveRange(colour.range),
      chromaLocation: effectiveChroma(colour.chromaLocation),
    });
    check(await this.#scaler.scaleFrame(target, source), "Converting a picture from RGB");
    tag(target, colour);
    return target;
  }

  [Symbol.dispose](): void {
    this.#scaler[Symbol.dispose]();
    this.#interleaver[Symbol.dispose]();
  }
}

/** A frame's pixels without the padding at the end of its lines. */
export function packedBytes(frame: Frame): Uint8Array {
  const { buffer, byteOffset, length } = frame.toBuffer();
  return new Uint8Array(buffer, byteOffset, length);
}

/** Whether a pixel format stores red, green and blue (or palette entries of them). */
export function isRgbFormat(format: AVPixelFormat | AVSampleFormat): boolean {
  return /^(rgb|bgr|gbr|argb|abgr|0rgb|0bgr|x2rgb|x2bgr|pal8)/.test(pixelFormatName(format));
}

/** FFmpeg's name of a video stream's pixel format, such as `yuv420p`; empty if it is not known. */
export function pixelFormatName(format: AVPixelFormat | AVSampleFormat): string {
  return (isPixelFormat(format) && avGetPixFmtName(format)) || "";
}

/** FFmpeg numbers pixel and sample formats alike; a video stream's are pixel formats. */
function isPixelFormat(format: AVPixelFormat | AVSampleFormat): format is AVPixelFormat {
  return Number(format) !== Number(AV_PIX_FMT_NONE);
}

function newScaler(): SoftwareScaleContext {
  const scaler = new SoftwareScaleContext();
  scaler.allocContext();
  scaler.setOption("sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic");
  return scaler;
}

/** A picture with memory of its own; the caller disposes it. */
function newPicture(
  { width, height }: { width: number; height: number },
  format: AVPixelFormat,
  colour: ColourTags,
): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = format;
  tag(frame, colour);
  check(frame.getBuffer(), "Allocating a picture");
  return frame;
}

function tag(frame: Frame, colour: ColourTags): void {
  frame.colorSpace = colour.space;
  frame.colorRange = colour.range;
  frame.colorPrimaries = colour.primaries;
  frame.colorTrc = colour.transfer;
  frame.chromaLocation = colour.chromaLocation;
}
