import { ComparisonPage } from "../../data/comparison/comparison-page.ts";
import { shownAspect } from "../../data/video/orientation.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import type { Receipt } from "../report/receipt.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import type { Comparison } from "./comparison.ts";
import { pageText } from "./page-text.ts";

/** The edited frames of a video and what they were, in a page for browsers. */
export class ComparisonInPage implements Comparison {
  readonly #page: ComparisonPage;
  readonly #path: string;
  readonly #info: VideoInfo;

  constructor(path: string, info: VideoInfo) {
    const { width, height, startSeconds, frameRate } = info;
    const { num, den } = shownAspect(info);
    const pixelAspect = num > 0 && den > 0 ? num / den : 1;
    const soundFrom = info.hasAudio ? info.path : null;
    const video = { width, height, startSeconds, frameRate, pixelAspect, soundFrom };
    this.#page = new ComparisonPage(path, video);
    this.#path = path;
    this.#info = info;
  }

  async add(frame: EditedFrame): Promise<void> {
    if (frame.isEdited) await this.#page.add(frame);
  }

  async write(receipt: Receipt): Promise<readonly string[]> {
    const left = await this.#page.write(pageText(receipt, this.#info));
    if (left === 0) return [];
    return [`${this.#path} has no room for the last ${left} frames: compare in a video (.mp4)`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#page[Symbol.asyncDispose]();
  }
}
