import type { RgbImage } from "../../src/data/image/rgb-image.ts";

/** A picture of noise: byte i is a hash of i. `test/golden/image/noise.py` computes the same. */
export function noisePicture(width: number, height: number): RgbImage {
  const hash = (index: number): number => {
    const first = Math.imul((index + 1) ^ ((index + 1) >>> 16), 0x7feb352d);
    return Math.imul(first ^ (first >>> 15), 0x846ca68b) >>> 24;
  };
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, index) => hash(index));
  return { rgb, width, height };
}
