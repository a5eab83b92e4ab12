import { type RgbImage, requireRgb } from "./rgb-image.ts";

/** A size in whole pixels. */
export type PictureSize = { readonly width: number; readonly height: number };

/** Bits behind the point of a weight: an unsigned byte, a sign and two bits of overshoot fill the other ten. */
const FRACTION_BITS = 22;
const ONE = 2 ** FRACTION_BITS;
const HALF = ONE / 2;

/** Half the width of the bicubic kernel, in pixels of the coarser side. */
const SUPPORT = 2;

/** Keys' cubic convolution (1981) with a = −0.5. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** For every place along a resized side: where it starts to read, and its weights in fixed point. */
type Taps = readonly { readonly start: number; readonly weights: Int32Array }[];

/** A kernel as wide as the coarser side's pixels, so that shrinking averages and does not alias. */
function tapsAlong(from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - SUPPORT * stretch + 0.5));
    const end = Math.min(from, Math.trunc(centre + SUPPORT * stretch + 0.5));
    const kernel = Float64Array.from({ length: end - start }, (__, tap) =>
      cubic((tap + start - centre + 0.5) * (1 / stretch)),
    );
    const sum = kernel.reduce((total, weight) => total + weight, 0);
    const fixed = (weight: number): number => (weight / sum) * ONE;
    const weights = Int32Array.from(kernel, (weight) =>
      Math.trunc(fixed(weight) + (weight < 0 ? -0.5 : 0.5)),
    );
    return { start, weights };
  });
}

/**
 * Resizes as Pillow's `Image.resize` does unless told otherwise, bit for bit: bicubic, averaging where it shrinks, along
 * rows first and columns after, rounded to bytes in between.
 *
 * CLIP's scores are made with it; another bicubic moves them.
 */
export function resizeBicubic(image: RgbImage, to: PictureSize): RgbImage {
  requireRgb(image);
  const wide =
    to.width === image.width
      ? image
      : resizeRows(image, tapsAlong(image.width, to.width), to.width);
  return to.height === image.height
    ? wide
    : resizeColumns(wide, tapsAlong(image.height, to.height), to.height);
}

function resizeRows({ rgb, width, height }: RgbImage, taps: Taps, to: number): RgbImage {
  const resized = new Uint8ClampedArray(to * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to; x++) {
      const { start, weights } = taps[x]!;
      const first = (y * width + start) * 3;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let tap = 0; tap < weights.length; tap++) {
        const weight = weights[tap]!;
        const at = first + tap * 3;
        red += rgb[at]! * weight;
        green += rgb[at + 1]! * weight;
        blue += rgb[at + 2]! * weight;
      }
      const target = (y * to + x) * 3;
      resized[target] = red >> FRACTION_BITS;
      resized[target + 1] = green >> FRACTION_BITS;
      resized[target + 2] = blue >> FRACTION_BITS;
    }
  }
  return { rgb: new Uint8Array(resized.buffer), width: to, height };
}

function resizeColumns({ rgb, width }: RgbImage, taps: Taps, to: number): RgbImage {
  const row = width * 3;
  const resized = new Uint8ClampedArray(row * to);
  const sums = new Int32Array(row);
  taps.forEach(({ start, weights }, y) => {
    sums.fill(HALF);
    weights.forEach((weight, tap) => {
      const from = (start + tap) * row;
      for (let at = 0; at < row; at++) sums[at]! += rgb[from + at]! * weight;
    });
    for (let at = 0; at < row; at++) resized[y * row + at] = sums[at]! >> FRACTION_BITS;
  });
  return { rgb: new Uint8Array(resized.buffer), width, height: to };
}
