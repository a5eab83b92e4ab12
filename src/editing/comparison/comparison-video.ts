import { shownAspect } from "../../data/video/orientation.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import { writeEdited } from "../../data/video/writer.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import type { Comparison } from "./comparison.ts";
import { Handover } from "./handover.ts";

/** Input left, result right, in one video with the input's timing and sound. */
export class ComparisonVideo implements Comparison {
  readonly #handover = new Handover<EditedFrame>();
  readonly #writing: Promise<unknown>;

  constructor(path: string, info: VideoInfo) {
    this.#writing = writeEdited(sideBySide(info), path, this.#handover);
    this.#writing.catch(() => undefined); // shows where it is awaited
  }

  async add(frame: EditedFrame): Promise<void> {
    const { width, height, source, rgb } = frame;
    const both = { ...frame, width: 2 * width, rgb: joined(source, rgb, width, height) };
    await Promise.race([this.#handover.put(both), this.#writing]);
  }

  async write(): Promise<readonly string[]> {
    this.#handover.end();
    await this.#writing;
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handover.fail(new DOMException("the edit was stopped", "AbortError"));
    await Promise.allSettled([this.#writing]);
  }
}

/** The input as a video of twice its width, upright. */
export function sideBySide(info: VideoInfo): VideoInfo {
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
