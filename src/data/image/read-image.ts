import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { UserError } from "../../engine/errors.ts";
import type { RgbImage } from "./png.ts";

/**
 * Reads a picture (PNG, JPEG, WebP, GIF, BMP) as packed RGB; where it is transparent it is black.
 *
 * Throws a UserError of one sentence for a file that is missing or no picture.
 */
export async function readImage(path: string): Promise<RgbImage> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError(`There is no picture ${path} that can be read: check the path.`, { cause });
  });
  const image = await loadImage(bytes).catch((cause: unknown) => {
    throw new UserError(`${basename(path)} is no picture: give a PNG or JPEG file.`, { cause });
  });
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.fillStyle = "#000000";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb[pixel * 3] = rgba[pixel * 4]!;
    rgb[pixel * 3 + 1] = rgba[pixel * 4 + 1]!;
    rgb[pixel * 3 + 2] = rgba[pixel * 4 + 2]!;
  }
  return { rgb, width, height };
}
