import { extname } from "node:path";
import { writeContactSheet } from "../../data/image/contact-sheet.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { resizeFrame } from "../../data/video/fit.ts";
import { shownAspect } from "../../data/video/orientation.ts";
import { requireWritable } from "../../data/output-file.ts";
import { checkOutput } from "../../data/video/outputs.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import { writeEdited } from "../../data/video/writer.ts";
import type { EditedFrame } from "../../editing/settings/edited-frame.ts";
import { Handover } from "./handover.ts";

/** Shows input and result of an edit together. */
export interface Comparison {
  /** Takes the next frame. */
  add(frame: EditedFrame): Promise<void>;
  /** Writes what the frames came to. */
  write(instruction: string): Promise<void>;
  /** The edit came to no end: nothing is written. */
  abandon(): Promise<void>;
}

/** A comparison to be written to `path`: a sheet as .png, a video otherwise; throws a UserError if it cannot be. */
export async function newComparison(path: string, info: VideoInfo): Promise<Comparison> {
  if (extname(path).toLowerCase() === ".png") {
    await requireWritable(path);
    return new ComparisonSheet(path, info.frames);
  }
  const pair = sideBySide(info);
  await checkOutput(pair, path);
  return new ComparisonVideo(path, pair);
}

/** Most pictures in a row. */
const COLUMNS = 8;
/** Longest side of a picture, in pixels. */
const LARGEST = 192;

/** Some frames of a video above the same frames edited. */
class ComparisonSheet implements Comparison {
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

  async write(instruction: string): Promise<void> {
    await writeContactSheet(this.#path, [
      { label: "input", images: this.#before },
      { label: instruction, images: this.#after },
    ]);
  }

  async abandon(): Promise<void> {}
}

/** Input left, result right, in one video with the input's timing and sound. */
class ComparisonVideo implements Comparison {
  readonly #handover = new Handover<EditedFrame>();
  readonly #writing: Promise<unknown>;

  constructor(path: string, pair: VideoInfo) {
    this.#writing = writeEdited(pair, path, this.#handover);
    this.#writing.catch(() => undefined); // shows where it is awaited
  }

  async add(frame: EditedFrame): Promise<void> {
    const { width, height, source, rgb } = frame;
    const both = { ...frame, width: 2 * width, rgb: joined(source, rgb, width, height) };
    await Promise.race([this.#handover.put(both), this.#writing]);
  }

  async write(): Promise<void> {
    this.#handover.end();
    await this.#writing;
  }

  async abandon(): Promise<void> {
    this.#handover.fail(new DOMException("the edit was stopped", "AbortError"));
    await Promise.allSettled([this.#writing]);
  }
}

/** The input as a video of twice its width, upright. */
function sideBySide(info: VideoInfo): VideoInfo {
  const { width, height } = info;
  return {
    ...info,
    width: 2 * width,
    height,
    codedWidth: 2 * width,
    codedHeight: height,
    rotation: 0,
    mirrored: false,
    displayMatrix: null,
    sampleAspectRatio: shownAspect(info),
  };
}

/** Two pictures of one size beside each other. */
function joined(left: Uint8Array, right: Uint8Array, width: number, height: number): Uint8Array {
  const row = width * 3;
  const both = new Uint8Array(2 * row * height);
  for (let y = 0; y < height; y++) {
    both.set(left.subarray(y * row, (y + 1) * row), 2 * y * row);
    both.set(right.subarray(y * row, (y + 1) * row), (2 * y + 1) * row);
  }
  return both;
}

/** A small copy of a frame's picture. */
export function thumbnail(
  { width, height }: Pick<EditedFrame, "width" | "height">,
  rgb: Uint8Array,
): RgbImage {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  return { rgb: resizeFrame(rgb, { width, height }, size), ...size };
}
