import { writeContactSheet } from "../../data/image/contact-sheet.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { resizeFrame } from "../../data/video/fit.ts";
import type { Receipt } from "../report/receipt.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import type { Comparison } from "./comparison.ts";

/** Most pictures in a row. */
const COLUMNS = 8;
/** Longest side of a picture, in pixels. */
const LARGEST = 192;

/** Some frames of a video above the same frames edited. */
export class ComparisonSheet implements Comparison {
  readonly #path: string;
  readonly #stride: number;
  readonly #before: RgbImage[] = [];
  readonly #after: RgbImage[] = [];

  constructor(path: string, frames: number | null) {
    this.#path = path;
    this.#stride = Math.ceil((frames ?? COLUMNS ** 2) / COLUMNS);
  }

  /** Takes every so many frames, so that a row of them spans the clip. */
  async add(frame: EditedFrame): Promise<void> {
    if (frame.index % this.#stride !== 0 || this.#before.length === COLUMNS) return;
    this.#before.push(thumbnail(frame, frame.source));
    this.#after.push(thumbnail(frame, frame.rgb));
  }

  async write({ settings: { instruction, further } }: Receipt): Promise<readonly string[]> {
    await writeContactSheet(this.#path, [
      { label: "input", images: this.#before },
      { label: [instruction, ...further].join(", then "), images: this.#after },
    ]);
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A small copy of a frame's picture, which is freed when it is written. */
export function thumbnail(
  { width, height }: Pick<EditedFrame, "width" | "height">,
  rgb: Uint8Array,
): RgbImage {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  const resized = resizeFrame(rgb, { width, height }, size);
  return { rgb: resized === rgb ? rgb.slice() : resized, ...size };
}
