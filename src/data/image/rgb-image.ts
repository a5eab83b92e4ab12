import { ShapeError } from "../../engine/errors.ts";

/** A picture in memory: packed RGB, `height × width × 3`, values 0–255. */
export interface RgbImage {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Refuses a picture whose bytes are not those of its size. */
export function requireRgb({ rgb, width, height }: RgbImage): void {
  if (rgb.length !== width * height * 3) {
    throw new ShapeError(
      `A ${width} × ${height} RGB picture has ${width * height * 3} bytes, got ${rgb.length}.`,
    );
  }
}

/** The colours of a canvas's pixels, packed; opaque ones lose nothing. */
export function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}
