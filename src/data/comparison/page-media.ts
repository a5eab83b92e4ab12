import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { AV_PIX_FMT_YUV420P } from "node-av/constants";
import { invariant } from "../../engine/errors.ts";
import { freeBytes } from "../byte-pictures.ts";
import { canvasOf } from "../image/png.ts";
import { encodingFor } from "../video/codecs.ts";
import { containerFor } from "../video/containers.ts";
import { newColour } from "../video/output-plan.ts";
import { VideoOutput } from "../video/output.ts";
import { seconds, type TimeBase } from "../video/time-base.ts";
import { BITS_PER_PIXEL, pagePlan } from "./page-limit.ts";
import type { PageSound } from "./page-sound.ts";
import { composeTiles, type Size, type Tile, type TilePlan } from "./tiles.ts";

/** The pictures of a frame, and when they are shown, in ticks of the source's clock. */
export interface TimedPictures {
  readonly pictures: Readonly<Record<Tile, Uint8Array>>;
  readonly pts: bigint;
  readonly duration: bigint;
}

/** What the pictures of a page have in common. */
export interface PageSource extends Size {
  /** The unit of their times. */
  readonly timeBase: TimeBase;
  /** Pictures a second, on average. */
  readonly frameRate: TimeBase;
  /** The file whose sound is heard with them; null without. */
  readonly soundFrom: string | null;
}

/** What a page shows, as a browser reads it. */
export interface StoredMedia {
  readonly type: "video/mp4" | "image/png";
  readonly hasSound: boolean;
  readonly plan: TilePlan;
  /** Its bytes, a few megabytes at a time. */
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Bytes at a time. */
const PIECE = 3 << 20;

/**
 * The pictures of a page: a video of sheets at `path`, which is gone when this is disposed; of one frame alone, a PNG.
 *
 * Input, result and difference lie in one picture, so that no clock can tear them apart.
 */
export class PageMedia implements AsyncDisposable {
  readonly #path: string;
  readonly #source: PageSource;
  readonly #plan: TilePlan;
  /** Until a second frame comes it may be the only one. */
  #first: TimedPictures | undefined;
  #video: VideoOutput | undefined;
  #sound: PageSound | null = null;
  #start = 0n;

  constructor(path: string, source: PageSource) {
    this.#path = path;
    this.#source = source;
    this.#plan = pagePlan(source, true);
  }

  /** Takes the pictures of the next frame, which are freed when they are written. */
  async add(frame: TimedPictures): Promise<void> {
    if (!this.#first) {
      this.#first = frame;
      this.#start = frame.pts;
      return;
    }
    if (!this.#video) {
      this.#video = await openVideo(this.#path, this.#plan.sheet, this.#source);
      await this.#joinSound(this.#video);
      await this.#video.begin({});
      await this.#write(this.#video, this.#first);
    }
    await this.#write(this.#video, frame);
  }

  async #joinSound(video: VideoOutput): Promise<void> {
    const { soundFrom, timeBase } = this.#source;
    if (soundFrom === null) return;
    // Only now, since reading FFmpeg's further half takes time that edits without a page need not wait.
    const { PageSound: Sound } = await import("./page-sound.ts");
    this.#sound = await Sound.open(soundFrom, seconds(this.#start, timeBase));
    this.#sound?.joinTo(video.context);
  }

  async #write(video: VideoOutput, { pictures, pts, duration }: TimedPictures): Promise<void> {
    const sheet = composeTiles(this.#plan, pictures, this.#source);
    await video.write(sheet, pts - this.#start, duration);
    await this.#sound?.writeUntil(video.endSeconds, video.context);
    for (const bytes of [sheet, ...Object.values(pictures)]) freeBytes(bytes);
  }

  /** What came of all frames; read it before this is disposed. */
  async finish(): Promise<StoredMedia> {
    invariant(this.#first, "a page has a picture at least");
    if (!this.#video) return await picture(this.#first, this.#source);
    await this.#video.finish();
    const pieces = createReadStream(this.#path, { highWaterMark: PIECE });
    return { type: "video/mp4", hasSound: this.#sound !== null, plan: this.#plan, pieces };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sound?.[Symbol.asyncDispose]();
    await this.#video?.[Symbol.asyncDispose]();
    await rm(this.#path, { force: true });
  }
}

async function openVideo(path: string, size: Size, source: PageSource): Promise<VideoOutput> {
  const encoding = encodingFor("h264", "good", size);
  const { timeBase, frameRate, width, height } = source;
  const bits = (BITS_PER_PIXEL * width * height * frameRate.num) / frameRate.den;
  const most = String(Math.max(1e6, Math.round(bits)));
  const options = {
    ...encoding.options,
    // Single frames are looked at, also backwards: few have to be decoded for one, in the order in which they are shown.
    g: "12",
    bf: "0",
    "rc-lookahead": "4", // sheets are large, and it holds that many
    maxrate: most,
    bufsize: most,
  };
  return await VideoOutput.create(path, {
    container: containerFor("page.mp4"),
    encoding: { ...encoding, format: AV_PIX_FMT_YUV420P, options },
    picture: {
      ...size,
      timeBase,
      frameRate,
      colour: newColour(encoding),
      sampleAspectRatio: { num: 1, den: 1 },
      displayMatrix: null,
    },
  });
}

async function picture({ pictures }: TimedPictures, size: Size): Promise<StoredMedia> {
  const plan = pagePlan(size, false);
  const rgb = composeTiles(plan, pictures, size);
  const bytes = await canvasOf({ rgb, ...plan.sheet }).encode("png");
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, index) =>
    bytes.subarray(index * PIECE, (index + 1) * PIECE),
  );
  return { type: "image/png", hasSound: false, plan, pieces };
}
