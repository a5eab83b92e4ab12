import { resizeBicubic } from "./resize-bicubic.ts";
import { requireRgb, type RgbImage } from "./rgb-image.ts";

/**
 * What CLIP sees of a picture: its shorter side brought to `size` pixels by Pillow's bicubic, and the square in its middle.
 *
 * The same bytes as transformers' `CLIPImageProcessor` on Pillow.
 */
export function clipPicture(image: RgbImage, size: number): RgbImage {
  const { width, height } = image;
  // in this order: the result is cut off, not rounded
  const longer = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  const fitted =
    width <= height ? { width: size, height: longer } : { width: longer, height: size };
  return centreSquare(resizeBicubic(image, fitted), size);
}

/** The square of `size` pixels in the middle of a picture that is at least as large. */
function centreSquare(image: RgbImage, size: number): RgbImage {
  requireRgb(image);
  if (image.width === size && image.height === size) return image;
  const left = (image.width - size) >> 1;
  const top = (image.height - size) >> 1;
  const rgb = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const start = ((top + y) * image.width + left) * 3;
    rgb.set(image.rgb.subarray(start, start + size * 3), y * size * 3);
  }
  return { rgb, width: size, height: size };
}
