import { type RgbImage, requireRgb } from "./rgb-image.ts";
import type { PictureSize } from "./resize-bicubic.ts";

/** Weights of two neighbours add up to this. */
const ONE = 2048;

/** For every place along a resized side: its two neighbours and their weights. */
type Pairs = readonly {
  readonly near: number;
  readonly far: number;
  readonly nearWeight: number;
  readonly farWeight: number;
}[];

/**
 * Neighbours of half-pixel centres; places beside the picture read its edge.
 *
 * OpenCV gives such a place along a row the edge pixel alone, and along a column twice the edge with both weights: the
 * same number but for its rounding.
 */
function pairsAlong(from: number, to: number, isRow: boolean): Pairs {
  const scale = 1 / (to / from);
  const inside = (index: number): number => Math.min(Math.max(index, 0), from - 1);
  return Array.from({ length: to }, (_, place) => {
    const centre = Math.fround((place + 0.5) * scale - 0.5);
    const before = Math.floor(centre);
    const isOutside = before < 0 || before >= from - 1;
    const share = isRow && isOutside ? 0 : Math.fround(centre - before);
    return {
      near: inside(before),
      far: inside(before + 1),
      nearWeight: roundEven(Math.fround(1 - share) * ONE),
      farWeight: roundEven(share * ONE),
    };
  });
}

/** To the nearest integer, and of two that are equally near to the even one. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

/**
 * Resizes as OpenCV's `resize` does unless told otherwise (`INTER_LINEAR` on bytes), bit for bit: between the four
 * nearest pixels, however much it shrinks, with weights of eleven bits.
 *
 * ViCLIP reads frames that were made so.
 */
export function resizeBilinear(image: RgbImage, to: PictureSize): RgbImage {
  requireRgb(image);
  if (to.width === image.width && to.height === image.height) return image;
  const columns = pairsAlong(image.width, to.width, true);
  const row = to.width * 3;
  const rgb = new Uint8Array(row * to.height);
  pairsAlong(image.height, to.height, false).forEach((pair, y) => {
    const [near, far] = [pair.near, pair.far].map((line) => resizedRow(image, line, columns));
    for (let at = 0; at < row; at++) {
      const above = (pair.nearWeight * (near![at]! >> 4)) >> 16;
      const below = (pair.farWeight * (far![at]! >> 4)) >> 16;
      rgb[y * row + at] = (above + below + 2) >> 2;
    }
  });
  return { rgb, ...to };
}

/** One row of the picture at its new width, in 1 / 2048. */
function resizedRow({ rgb, width }: RgbImage, line: number, columns: Pairs): Int32Array {
  const resized = new Int32Array(columns.length * 3);
  columns.forEach(({ near, far, nearWeight, farWeight }, x) => {
    for (let c = 0; c < 3; c++) {
      const start = line * width * 3 + c;
      resized[x * 3 + c] = rgb[start + near * 3]! * nearWeight + rgb[start + far * 3]! * farWeight;
    }
  });
  return resized;
}
