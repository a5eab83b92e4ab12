import { readFile } from "node:fs/promises";
import { createCanvas, loadImage, type Image } from "@napi-rs/canvas";
import { DataError, UserError } from "../../engine/errors.ts";
import { requireReadableSize } from "../most-pixels.ts";
import { statedSize } from "./stated-size.ts";
import { withoutAlpha, type RgbImage } from "./rgb-image.ts";

/** A picture as it is shown, and whether anything of it was transparent. */
export interface ReadPicture extends RgbImage {
  readonly isOpaque: boolean;
}

/**
 * Reads a picture file (JPEG, PNG, WebP) by what is in it, turned and coloured as it says; transparent places lie on black.
 *
 * Throws a UserError for a file that is not there or says it is larger than any camera's, a DataError for one that is no picture or cut off.
 */
export async function readPicture(path: string): Promise<ReadPicture> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError(`${path} cannot be read: check the path.`, { cause });
  });
  // its decoder draws what is missing of a JPEG
  if (bytes.subarray(0, 2).toString("hex") === "ffd8" && !bytes.includes(END_OF_JPEG, 2))
    throw new DataError(`${path} is cut off: get it again.`);
  const stated = statedSize(bytes);
  if (!stated) throw noPicture(path);
  requireReadableSize(path, stated);
  const image: Image = await loadImage(bytes).catch((cause: unknown) => {
    throw noPicture(path, cause);
  });
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const isOpaque = isWithoutHoles(context.getImageData(0, 0, width, height).data);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#000000";
  context.fillRect(0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { rgb: withoutAlpha(data), width, height, isOpaque };
}

function noPicture(path: string, cause?: unknown): DataError {
  return new DataError(`${path} is no picture that can be read here: expected JPEG, PNG or WebP.`, {
    cause,
  });
}

/** The marker that closes a JPEG; it may also close a thumbnail in it. */
const END_OF_JPEG = Buffer.from([0xff, 0xd9]);

function isWithoutHoles(rgba: Uint8ClampedArray): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}
