import { readFile } from "node:fs/promises";
import { createCanvas, loadImage, type Image } from "@napi-rs/canvas";
import { DataError, UserError } from "../../engine/errors.ts";
import { withoutAlpha, type RgbImage } from "./rgb-image.ts";

/** Reads a picture file (JPEG, PNG, WebP); transparent places lie on black. */
export async function readPicture(path: string): Promise<RgbImage> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError(`${path} cannot be read: check the path.`, { cause });
  });
  const image: Image = await loadImage(bytes).catch((cause: unknown) => {
    throw new DataError(
      `${path} is no picture that can be read here: expected JPEG, PNG or WebP.`,
      {
        cause,
      },
    );
  });
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.fillStyle = "#000000";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return { rgb: withoutAlpha(context.getImageData(0, 0, width, height).data), width, height };
}
