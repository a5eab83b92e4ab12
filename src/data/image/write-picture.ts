import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { requireWritable, writeAtomically } from "../output-file.ts";
import { canvasOf, writePng } from "./png.ts";
import type { RgbImage } from "./rgb-image.ts";

/** How well JPEG files are kept, of 100. */
const JPEG_QUALITY = 90;

/** Throws a UserError where no picture can be written to `path`: its ending or its folder is wrong. */
export async function requirePicturePath(path: string): Promise<void> {
  const ending = extname(path).toLowerCase();
  if (![".png", ".jpg", ".jpeg"].includes(ending)) {
    throw new UserError(
      `${path}: expected a picture's name that ends with .png or .jpg, got ${ending === "" ? "no ending" : ending}`,
    );
  }
  await requireWritable(path);
}

/** Writes a picture as PNG or JPEG, by its name's ending; what was at `path` stays until the new file is complete. */
export async function writePicture(path: string, image: RgbImage): Promise<void> {
  await requirePicturePath(path);
  if (extname(path).toLowerCase() === ".png")
    return await writePng(path, image.rgb, image.width, image.height);
  const bytes = await canvasOf(image).encode("jpeg", JPEG_QUALITY);
  await writeAtomically(path, (temporary) => writeFile(temporary, bytes));
}
