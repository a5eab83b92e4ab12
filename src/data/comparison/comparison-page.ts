import { open } from "node:fs/promises";
import { invariant } from "../../engine/errors.ts";
import { requireWritable, temporaryName, writeAtomically } from "../output-file.ts";
import { seconds, type TimeBase } from "../video/time-base.ts";
import { differenceOf } from "./difference.ts";
import { pageEnd, pageMedia, pageStart, type PageText } from "./page-document.ts";
import { mostFrames } from "./page-limit.ts";
import { PageMedia, type PageSource, type StoredMedia } from "./page-media.ts";

/** A frame as it was and as it became, packed RGB of one size. */
export interface ComparedFrame {
  /** Its number in its video, from 0. */
  readonly index: number;
  readonly pts: bigint;
  readonly duration: bigint;
  readonly timeBase: TimeBase;
  readonly source: Uint8Array;
  readonly rgb: Uint8Array;
}

/** What the pictures of a page have in common. */
export interface ComparedVideo extends Omit<PageSource, "timeBase"> {
  /** Width of a pixel over its height. */
  readonly pixelAspect: number;
  /** When the first picture of the video is shown, in seconds of its clock. */
  readonly startSeconds: number;
}

/** What the viewer is told of the pictures, beside their bytes. */
interface PageTimes {
  first: number;
  startSeconds: number;
  /** When each frame begins, in seconds after the first of them. */
  readonly times: number[];
  endSeconds: number;
  readonly changedShares: number[];
}

/**
 * A page that shows input and result of an edit together, as one file to open in a browser.
 *
 * Frames are encoded as they come into a file beside `path`; disposed before it is written, nothing is left.
 */
export class ComparisonPage implements AsyncDisposable {
  readonly #path: string;
  readonly #video: ComparedVideo;
  readonly #told: PageTimes = {
    first: 0,
    startSeconds: 0,
    times: [],
    endSeconds: 0,
    changedShares: [],
  };
  #media: PageMedia | undefined;
  #start: bigint | undefined;
  /** The frame that is being encoded while the edit goes on. */
  #encoding: Promise<void> = Promise.resolve();
  #left = 0;

  constructor(path: string, video: ComparedVideo) {
    this.#path = path;
    this.#video = video;
  }

  /** Takes the next frame; its pictures are copied. Frames that a page has no room for are left out. */
  async add(frame: ComparedFrame): Promise<void> {
    if (this.#told.times.length >= mostFrames(this.#video)) {
      this.#left++;
      return;
    }
    await this.#encoding;
    const { timeBase } = frame;
    this.#media ??= new PageMedia(temporaryName(this.#path), { ...this.#video, timeBase });
    const { grey, changedShare } = differenceOf(frame.source, frame.rgb);
    this.#note(frame, changedShare);
    const pictures = { input: frame.source.slice(), result: frame.rgb.slice(), difference: grey };
    const { pts, duration } = frame;
    this.#encoding = this.#media.add({ pictures, pts, duration });
    this.#encoding.catch(() => undefined); // shows where it is awaited next
  }

  #note({ index, pts, duration, timeBase }: ComparedFrame, changedShare: number): void {
    const told = this.#told;
    if (this.#start === undefined) {
      this.#start = pts;
      told.first = index;
      told.startSeconds = rounded(seconds(pts, timeBase) - this.#video.startSeconds);
    }
    const { frameRate } = this.#video;
    const lasting = duration > 0n ? seconds(duration, timeBase) : frameRate.den / frameRate.num;
    const start = seconds(pts - this.#start, timeBase);
    told.times.push(rounded(start));
    told.endSeconds = rounded(start + lasting);
    told.changedShares.push(Number(changedShare.toFixed(4)));
  }

  /** Writes the page; `text` is what stands beside the pictures. Returns how many frames it had no room for. */
  async write(text: PageText): Promise<number> {
    await requireWritable(this.#path);
    await this.#encoding;
    invariant(this.#media, "a page has a frame at least");
    const media = await this.#media.finish();
    await writeAtomically(this.#path, (temporary) => this.#writeTo(temporary, text, media));
    return this.#left;
  }

  async #writeTo(
    path: string,
    text: PageText,
    { type, hasSound, plan, pieces }: StoredMedia,
  ): Promise<void> {
    const { pixelAspect, width, height } = this.#video;
    const { tile, places } = plan;
    const data = {
      type,
      hasSound,
      size: { width, height },
      pixelAspect,
      tile,
      places,
      ...this.#told,
    };
    await using file = await open(path, "wx");
    await file.appendFile(pageStart(text, data));
    for await (const piece of pieces) await file.appendFile(pageMedia(piece));
    await file.appendFile(pageEnd());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#encoding]);
    await this.#media?.[Symbol.asyncDispose]();
  }
}

/** To microseconds, which no two frames share. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
