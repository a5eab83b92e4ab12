import { writeFileSync } from "node:fs";
import { createCanvas } from "@napi-rs/canvas";
import { imageData } from "../image/png.ts";
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
