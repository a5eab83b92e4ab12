import { AV_PIX_FMT_RGB24, AVCOL_RANGE_JPEG, AVCOL_SPC_RGB } from "node-av/constants";
import { Frame, SoftwareScaleContext } from "node-av/lib";
import { ShapeError } from "../../engine/errors.ts";
import { check } from "./media.ts";
import { packedBytes } from "./picture.ts";

/** Where a whole frame lies inside the model's square, in the square's pixels. */
export interface FitPlan {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A frame's size in pixels, and the shape of those. */
export interface FrameShape {
  readonly width: number;
  readonly height: number;
  /** Width of a pixel over its height; 1 by default. */
  readonly pixelAspect?: number;
}

/** Places a frame in a square of `size` pixels: aspect kept as it is shown, as large as fits, centred. */
export function fitPlan({ width, height, pixelAspect = 1 }: FrameShape, size: number): FitPlan {
  const shown = width * pixelAspect;
  const scale = size / Math.max(shown, height);
  const fitted = {
    width: Math.max(1, Math.round(shown * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  return {
    left: (size - fitted.width) >> 1,
    top: (size - fitted.height) >> 1,
    ...fitted,
  };
}

/**
 * Brings a whole RGB frame (`height × width × 3`) to the model's `size × size × 3`.
 *
 * The border beside a frame that is no square repeats its edge pixels: a black one would be a
 * picture the model has never seen. A frame of that size already is returned as it is.
 */
export function fitFrame(rgb: Uint8Array, shape: FrameShape, size: number): Uint8Array {
  requireBytes(rgb, shape);
  if (isSquareOf(shape, size)) return rgb;
  const plan = fitPlan(shape, size);
  const fitted = resizeFrame(rgb, shape, plan);
  return plan.width === plan.height ? fitted : padByEdge(fitted, plan, size);
}

/** The inverse of `fitFrame`: cuts the frame out of the square and brings it back to its own size. */
export function unfitFrame(square: Uint8Array, size: number, shape: FrameShape): Uint8Array {
  requireBytes(square, { width: size, height: size });
  if (isSquareOf(shape, size)) return square;
  const plan = fitPlan(shape, size);
  return resizeFrame(cut(square, plan, size), plan, shape);
}

/** Whether a frame is the model's square as it stands. */
export function isSquareOf({ width, height, pixelAspect = 1 }: FrameShape, size: number): boolean {
  return width === size && height === size && pixelAspect === 1;
}

/** Resizes packed RGB: averages over the area when it shrinks, Lanczos when it grows. */
export function resizeFrame(
  rgb: Uint8Array,
  from: { width: number; height: number },
  to: { width: number; height: number },
): Uint8Array {
  if (from.width === to.width && from.height === to.height) return rgb;
  const kernel = to.width * to.height < from.width * from.height ? "area" : "lanczos";
  using scaler = new SoftwareScaleContext();
  scaler.allocContext();
  scaler.setOption("sws_flags", `${kernel}+accurate_rnd+full_chroma_int+full_chroma_inp`);
  const bytes = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
  using source = Frame.fromVideoBuffer(bytes, {
    width: from.width,
    height: from.height,
    format: AV_PIX_FMT_RGB24,
  });
  using target = new Frame();
  target.alloc();
  target.width = to.width;
  target.height = to.height;
  target.format = AV_PIX_FMT_RGB24;
  for (const frame of [source, target]) {
    frame.colorSpace = AVCOL_SPC_RGB;
    frame.colorRange = AVCOL_RANGE_JPEG;
  }
  check(target.getBuffer(), "Allocating a picture");
  check(scaler.scaleFrameSync(target, source), "Resizing a picture");
  return packedBytes(target);
}

function padByEdge(fitted: Uint8Array, plan: FitPlan, size: number): Uint8Array {
  const square = new Uint8Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    const y = Math.min(Math.max(row - plan.top, 0), plan.height - 1);
    const line = fitted.subarray(y * plan.width * 3, (y + 1) * plan.width * 3);
    const start = row * size * 3;
    const end = start + (plan.left + plan.width) * 3;
    square.set(line, start + plan.left * 3);
    for (let at = start; at < start + plan.left * 3; at++) square[at] = line[(at - start) % 3]!;
    const last = line.length - 3;
    for (let at = end; at < start + size * 3; at++) square[at] = line[last + ((at - end) % 3)]!;
  }
  return square;
}

function cut(square: Uint8Array, { left, top, width, height }: FitPlan, size: number): Uint8Array {
  const piece = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * size + left) * 3;
    piece.set(square.subarray(start, start + width * 3), row * width * 3);
  }
  return piece;
}

function requireBytes(rgb: Uint8Array, { width, height }: FrameShape): void {
  if (rgb.length === width * height * 3) return;
  throw new ShapeError(
    `A ${width} × ${height} RGB frame has ${width * height * 3} bytes, got ${rgb.length}.`,
  );
}
