import { extname } from "node:path";
import { writeContactSheet } from "../data/image/contact-sheet.ts";
import type { RgbImage } from "../data/image/rgb-image.ts";
import { resizeFrame } from "../data/video/fit.ts";
import { requireWritable } from "../data/video/output-file.ts";
import type { EditedFrame } from "../editing/edited-frames.ts";
import { UserError } from "../engine/errors.ts";

/** Most pictures in a row. */
const COLUMNS = 8;
/** Longest side of a picture, in pixels. */
const LARGEST = 192;

/** A sheet with some frames of a video above the same frames edited. */
export class Comparison {
  readonly #path: string;
  readonly #before: RgbImage[] = [];
  readonly #after: RgbImage[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** A sheet to be written to `path`; throws a UserError if it could not be. */
  static async at(path: string): Promise<Comparison> {
    if (extname(path).toLowerCase() !== ".png") {
      throw new UserError(`--compare: expected a .png file, got "${path}"`);
    }
    await requireWritable(path);
    return new Comparison(path);
  }

  /** Takes every so many frames, so that a row of them spans a clip of `frames`. */
  add(frame: EditedFrame, frames: number | null): void {
    const stride = Math.ceil((frames ?? COLUMNS ** 2) / COLUMNS);
    if (frame.index % stride !== 0 || this.#before.length === COLUMNS) return;
    this.#before.push(thumbnail(frame, frame.source));
    this.#after.push(thumbnail(frame, frame.rgb));
  }

  async write(instruction: string): Promise<void> {
    await writeContactSheet(this.#path, [
      { label: "input", images: this.#before },
      { label: instruction, images: this.#after },
    ]);
  }
}

function thumbnail({ width, height }: EditedFrame, rgb: Uint8Array): RgbImage {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  return { rgb: resizeFrame(rgb, { width, height }, size), ...size };
}
