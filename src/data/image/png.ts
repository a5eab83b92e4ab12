import { writeFile } from "node:fs/promises";
import { createCanvas, ImageData, type Canvas } from "@napi-rs/canvas";
import { requireWritable, writeAtomically } from "../output-file.ts";
import { requireRgb, type RgbImage } from "./rgb-image.ts";

/** Writes packed RGB as a PNG; what was at `path` stays until the new file is complete. */
export async function writePng(
  path: string,
  rgb: Uint8Array,
  width: number,
  height: number,
): Promise<void> {
  await requireWritable(path);
  const bytes = await canvasOf({ rgb, width, height }).encode("png");
  await writeAtomically(path, (temporary) => writeFile(temporary, bytes));
}

/** A canvas that shows packed RGB. */
export function canvasOf(image: RgbImage): Canvas {
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(imageData(image), 0, 0);
  return canvas;
}

/** An opaque canvas picture of packed RGB. */
export function imageData(image: RgbImage): ImageData {
  requireRgb(image);
  const { rgb, width, height } = image;
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgba.set(rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
  }
  return new ImageData(rgba, width, height);
}
