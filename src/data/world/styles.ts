import type { Style } from "./scene.ts";
import { blueprint, neon, sketch, watercolor } from "./styles-drawn.ts";

/** A style: from a `size`×`size` RGB picture, row by row, to another. It may write over its input. */
export type Transform = (rgb: Uint8Array, size: number) => Uint8Array;

/** Applies `f` to each pixel's brightness and paints it in the resulting colour. */
function toned(f: (luma: number) => readonly [number, number, number]): Transform {
  const table = Array.from({ length: 256 }, (_, luma) =>
    Uint8Array.from(f(luma).map((v) => Math.min(255, Math.max(0, Math.round(v))))),
  );
  return (rgb) => {
    for (let i = 0; i < rgb.length; i += 3) {
      const luma = (77 * rgb[i]! + 150 * rgb[i + 1]! + 29 * rgb[i + 2]!) >> 8;
      rgb.set(table[luma]!, i);
    }
    return rgb;
  };
}

const blackAndWhite = toned((luma) => [luma, luma, luma]);
const sepia = toned((luma) => [40 + 0.86 * luma, 22 + 0.78 * luma, 6 + 0.58 * luma]);

/** Sixteen blocks across the frame, each of its mean colour. */
const pixelArt: Transform = (rgb, size) => {
  const block = Math.max(1, Math.round(size / 16));
  for (let y0 = 0; y0 < size; y0 += block) {
    for (let x0 = 0; x0 < size; x0 += block) paintMean(rgb, size, x0, y0, block);
  }
  return rgb;
};

function paintMean(rgb: Uint8Array, size: number, x0: number, y0: number, block: number): void {
  const right = Math.min(size, x0 + block);
  const bottom = Math.min(size, y0 + block);
  const count = (right - x0) * (bottom - y0);
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let y = y0; y < bottom; y++) {
      for (let x = x0; x < right; x++) sum += rgb[(y * size + x) * 3 + c]!;
    }
    const mean = Math.round(sum / count);
    for (let y = y0; y < bottom; y++) {
      for (let x = x0; x < right; x++) rgb[(y * size + x) * 3 + c] = mean;
    }
  }
}

/** Four levels a channel, with soft steps between them, and stronger colours. */
const poster: Transform = (rgb) => {
  const level = Uint8Array.from({ length: 256 }, (_, value) => {
    const position = (value / 255) * 3;
    const base = Math.min(2, Math.floor(position));
    const t = Math.min(1, Math.max(0, (position - base - 0.3) / 0.4));
    return Math.round(((base + t * t * (3 - 2 * t)) / 3) * 255);
  });
  for (let i = 0; i < rgb.length; i += 3) {
    const luma = (77 * rgb[i]! + 150 * rgb[i + 1]! + 29 * rgb[i + 2]!) >> 8;
    for (let c = i; c < i + 3; c++) {
      const strong = luma + 1.5 * (rgb[c]! - luma);
      rgb[c] = level[Math.min(255, Math.max(0, Math.round(strong)))]!;
    }
  }
  return rgb;
};

/** What each style does to the whole frame. */
export const STYLE_TRANSFORMS: Readonly<Record<Exclude<Style, "plain">, Transform>> = {
  "black-and-white": blackAndWhite,
  sepia,
  "pixel-art": pixelArt,
  poster,
  blueprint,
  sketch,
  neon,
  watercolor,
};
