import { createHash } from "node:crypto";
import { DataError, UserError } from "../../engine/errors.ts";
import { type FrameSource, FrameTaker, type InputFrame, isRepeatable } from "./frame-source.ts";
import { pictureInfo } from "./picture-info.ts";
import { USUAL_TIME_BASE } from "./picture-source.ts";
import type { VideoInfo } from "./video-info.ts";
import type { DecodedFrame } from "./reader.ts";
import { exactRate, isVariable, rescale, seconds, type TimeBase } from "./time-base.ts";

/** The clock of frames with times of their own: whole ticks for each of all usual rates, those over 1001 as well. */
const FINE: TimeBase = { num: 1, den: 120_000 };
/** Frames that are further apart have times of another unit. */
const MOST_SECONDS_APART = 3600;

/** Frames a second that `framesPerSecond` may name. */
const [SLOWEST_RATE, FASTEST_RATE] = [0.01, 1000];

/** How frames lie in time. */
interface Timing {
  readonly timeBase: TimeBase;
  /** Ticks that a frame is shown where no frame behind it tells. */
  readonly usual: bigint;
  readonly frameRate: TimeBase;
  readonly hasOwnTimes: boolean;
  readonly isVariable: boolean;
}

/** Frames of a program as a video; they are read once, and closed when this is disposed. */
export class GivenFrames implements AsyncDisposable {
  readonly type = "frames";
  /** Whether they can be read more than once. */
  readonly isRepeatable: boolean;
  readonly #source: FrameSource;
  readonly #hash = createHash("sha256");
  readonly #waiting: InputFrame[] = [];
  #taker: FrameTaker | undefined;
  #timing: Timing | undefined;
  /** A mark of all frames up to each, where they are noted. */
  #noted: number[] | undefined;
  /** Those of an earlier reading, which this one is to meet. */
  #expected: readonly number[] | undefined;

  constructor(source: FrameSource) {
    this.#source = source;
    this.isRepeatable = isRepeatable(source);
  }

  /**
   * What can be told of the frames by the first of them, or by two where they have times.
   *
   * Throws a UserError of one sentence where there is none.
   */
  async probe(signal?: AbortSignal): Promise<VideoInfo> {
    this.#taker ??= new FrameTaker(this.#source);
    const first = await this.#ahead(0, signal);
    if (!first) {
      throw new UserError(
        "video.frames: gave no frame: expected at least one, and what can be read once not to have been read before",
      );
    }
    const { framesPerSecond } = this.#source;
    const hasOwnTimes = framesPerSecond === undefined && first.ptsSeconds !== undefined;
    this.#timing = hasOwnTimes
      ? ownTiming(first, await this.#ahead(1, signal), this.#taker.times)
      : evenTiming(framesPerSecond);
    const { frameRate, timeBase, isVariable: variableFrameRate } = this.#timing;
    const averageFps = frameRate.num / frameRate.den;
    const { count } = this.#taker;
    return pictureInfo({
      name: "the video",
      path: null,
      width: first.width,
      height: first.height,
      frames: count,
      durationSeconds: count === null || variableFrameRate ? 0 : count / averageFps,
      averageFps,
      frameRate,
      variableFrameRate,
      pictures: hasOwnTimes || framesPerSecond !== undefined ? "timed" : "untimed",
      timeBase,
      hasAlpha: false,
    });
  }

  /** The frames with their times, once and behind `probe`. Throws as `FrameTaker` does, and for times that do not rise. */
  async *frames(signal?: AbortSignal): AsyncGenerator<DecodedFrame, void, undefined> {
    if (!this.#timing) await this.probe(signal);
    const timing = this.#timing!;
    const { timeBase } = timing;
    let start: number | undefined;
    let waiting: Omit<DecodedFrame, "duration"> | undefined;
    let lasting = timing.usual;
    for await (const { ptsSeconds, ...picture } of this.#pictures(signal)) {
      const index = waiting ? waiting.index + 1 : 0;
      start ??= ptsSeconds;
      const pts = timing.hasOwnTimes ? ownTime(ptsSeconds, start, index) : BigInt(index);
      if (waiting) {
        lasting = requireLater(pts - waiting.pts, timing, index);
        yield { ...waiting, duration: lasting };
      }
      const at = seconds(pts, timeBase);
      waiting = { index, pts, timeBase, ptsSeconds: at, ...picture, pixelAspect: 1 };
    }
    if (waiting) yield { ...waiting, duration: lasting };
  }

  /** SHA-256 of the pixels of all frames that were read, one frame after another. */
  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /**
   * What tells these frames and their times from others, by reading all of them once more, and before `frames` does.
   *
   * That throws a DataError then in the place of the first frame that is another. To be asked of what is repeatable alone.
   */
  async fingerprint(signal?: AbortSignal): Promise<string> {
    return await withFrames(this.#source, async (again) => {
      const times = createHash("sha256");
      const marks: number[] = [];
      again.#noted = marks;
      for await (const { pts, timeBase } of again.frames(signal))
        times.update(`${pts} × ${timeBase.num} / ${timeBase.den}, `);
      this.#expected = marks;
      return `${again.sha256()} at ${times.digest("hex")}`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#taker?.[Symbol.asyncDispose]();
  }

  /** The frame that will be handed out behind `index` others; undefined where there is none. */
  async #ahead(index: number, signal: AbortSignal | undefined): Promise<InputFrame | undefined> {
    while (this.#waiting.length <= index) {
      const frame = await this.#taker?.next(signal);
      if (!frame) return undefined;
      this.#waiting.push(frame);
    }
    return this.#waiting[index];
  }

  async *#pictures(signal: AbortSignal | undefined): AsyncGenerator<InputFrame, void, undefined> {
    let index = 0;
    for (let frame = await this.#ahead(0, signal); frame; frame = await this.#ahead(0, signal)) {
      this.#waiting.shift();
      this.#hash.update(frame.rgb);
      this.#noted?.push(this.#mark());
      if (this.#expected && this.#expected[index] !== this.#mark()) throw givenOtherwise(index);
      index++;
      yield frame;
    }
    if (this.#expected && this.#expected.length !== index) throw givenOtherwise(index);
  }

  /** A few bytes of the hash of all frames so far: enough to notice another one. */
  #mark(): number {
    return this.#hash.copy().digest().readUIntBE(0, 6);
  }
}

function givenOtherwise(index: number): DataError {
  return new DataError(
    `video.frames: gave other frames when they were read again, from frame ${index} on: to go on with an edit, give the same each time`,
  );
}

/**
 * Does `work` with frames of a program, and closes them behind that.
 *
 * A program whose frames cannot be closed is told so, unless the work has failed before.
 */
export async function withFrames<Result>(
  source: FrameSource,
  work: (frames: GivenFrames) => Promise<Result>,
): Promise<Result> {
  const frames = new GivenFrames(source);
  let result: Result;
  try {
    result = await work(frames);
  } catch (error) {
    await frames[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
  await frames[Symbol.asyncDispose]();
  return result;
}

function evenTiming(framesPerSecond: number | undefined): Timing {
  const { num, den } = USUAL_TIME_BASE;
  const frameRate =
    framesPerSecond === undefined ? { num: den, den: num } : exactRate(framesPerSecond);
  const timeBase = { num: frameRate.den, den: frameRate.num };
  return { timeBase, usual: 1n, frameRate, hasOwnTimes: false, isVariable: false };
}

/**
 * The rate is that of all frames where their `times` are known and evenly spaced; else it is that of the first two, and
 * counts as variable.
 */
function ownTiming(
  first: InputFrame,
  second: InputFrame | undefined,
  times: readonly number[] | null,
): Timing {
  const own = { timeBase: FINE, hasOwnTimes: true };
  if (!second) {
    const usual = rescale(1n, USUAL_TIME_BASE, FINE);
    const frameRate = { num: USUAL_TIME_BASE.den, den: USUAL_TIME_BASE.num };
    return { ...own, usual, frameRate, isVariable: false };
  }
  const usual = ownTime(second.ptsSeconds, first.ptsSeconds, 1);
  requireLater(usual, own, 1);
  const rate = evenRate(times ?? []);
  const frameRate = rate === null ? { num: FINE.den, den: Number(usual) } : exactRate(rate);
  return { ...own, usual, frameRate, isVariable: rate === null };
}

/** Frames a second, where they are shown at times that are evenly spaced but for their rounding; else null. */
function evenRate(times: readonly number[]): number | null {
  const [first = 0, last = first] = [times[0], times.at(-1)];
  const rate = (times.length - 1) / (last - first);
  const ticks = times.map((time, index) => ownTime(time, first, index));
  const isUsual = rate >= SLOWEST_RATE && rate <= FASTEST_RATE;
  return isUsual && !isVariable(ticks, FINE) ? rate : null;
}

/** Ticks since the first frame, which is shown at `start`. */
function ownTime(ptsSeconds: number | undefined, start: number | undefined, index: number): bigint {
  if (ptsSeconds === undefined || start === undefined) {
    throw new UserError(
      `video.frames: expected ptsSeconds of frame ${index}, as frame 0 has it: give it for all frames, or framesPerSecond`,
    );
  }
  const ticks = ((ptsSeconds - start) * FINE.den) / FINE.num;
  return BigInt(
    Math.round(Math.max(-Number.MAX_SAFE_INTEGER, Math.min(ticks, Number.MAX_SAFE_INTEGER))),
  );
}

/** A frame's distance in ticks from the one before it. */
function requireLater(
  ticks: bigint,
  { timeBase, hasOwnTimes }: Pick<Timing, "timeBase" | "hasOwnTimes">,
  index: number,
): bigint {
  const apart = seconds(ticks, timeBase);
  if (!hasOwnTimes || (ticks > 0n && apart <= MOST_SECONDS_APART)) return ticks;
  throw new UserError(
    `video.frames: frame ${index} is shown ${apart} s after the one before it: expected ptsSeconds that rise, by an hour at most`,
  );
}
