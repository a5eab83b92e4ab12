import { readFileSync, writeFileSync } from "node:fs";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { imageData } from "../image/png.ts";
import type { RgbImage } from "../image/rgb-image.ts";
import { resizeFrame } from "../video/fit.ts";

/** Side of a frame on a strip, in pixels; smaller frames keep their size. */
const SIDE = 96;
/** White between two frames, in pixels. */
const GAP = 2;
/** JPEG quality, of 100. */
const QUALITY = 88;

/** Writes square frames side by side as a JPEG: what a clip looks like, without its video. */
export function writeStrip(path: string, frames: readonly Uint8Array[], size: number): void {
  const side = Math.min(size, SIDE);
  const step = side + GAP;
  const canvas = createCanvas(step * frames.length - GAP, side);
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, side);
  frames.forEach((frame, index) => {
    const rgb = resizeFrame(frame, { width: size, height: size }, { width: side, height: side });
    context.putImageData(imageData({ rgb, width: side, height: side }), index * step, 0);
  });
  writeFileSync(path, canvas.toBuffer("image/jpeg", QUALITY));
}

/** A strip as one picture. */
export async function readStrip(path: string): Promise<RgbImage> {
  const image = await loadImage(readFileSync(path));
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++)
    rgb.set(rgba.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  return { rgb, width, height };
}
