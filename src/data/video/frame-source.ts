import { Readable } from "node:stream";
import { types } from "node:util";
import { UserError } from "../../engine/errors.ts";
import { isRecord } from "../../engine/json.ts";
import { orAborted } from "../../engine/or-aborted.ts";
import type { RgbImage } from "../image/rgb-image.ts";

/** A frame that a program gives: packed RGB, and when it is shown. Frames that an edit hands out are such. */
export interface InputFrame extends RgbImage {
  /**
   * When it is shown, in seconds; counts as the time since the first frame, and only where the source names no
   * `framesPerSecond`.
   */
  readonly ptsSeconds?: number | undefined;
}

/** Frames in the order in which they are shown, all of one size. */
export type InputFrames = Iterable<InputFrame> | AsyncIterable<InputFrame>;

/** Frames that a program has in memory or makes as it goes, in the place of a video's path. */
export interface FrameSource {
  /**
   * The frames: an array, a generator, a stream; or a function that gives them anew each time it is called.
   *
   * They are taken one by one, a window and a few ahead of the edit, and copied, so one buffer may serve for all. What
   * can be iterated over once is used up by one edit, preview or estimate; an array and a function serve for many.
   */
  readonly frames: InputFrames | (() => InputFrames);
  /** Frames a second, 0.01 to 1000; by default each has its own `ptsSeconds`, or else there are 25. */
  readonly framesPerSecond?: number | undefined;
  /** How many frames there are, exactly, for progress and estimates; an array tells by itself. */
  readonly count?: number | undefined;
}

/** Whether the frames of a source can be read more than once. */
export function isRepeatable({ frames }: FrameSource): boolean {
  return typeof frames === "function" || Array.isArray(frames);
}

/** Whether a value can be iterated over for frames, which text and bytes cannot. */
export function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** What a value is, in a few words, however large it is: `Uint8Array`, `{ width: 4, height: 3 }`. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || value === null) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return classOf(value);
  const parts = Object.entries(value).map(
    ([name, part]: [string, unknown]) =>
      `${name}: ${typeof part === "object" && part !== null ? classOf(part) : kindOf(part)}`,
  );
  return parts.length === 0 ? "{}" : `{ ${parts.slice(0, 6).join(", ")} }`;
}

/** `Uint8Array`, `Generator`, or the name of a class. */
function classOf(value: object): string {
  const builtIn = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return builtIn === "Object" ? (value.constructor?.name ?? builtIn) : builtIn;
}

/** What gives its frames once, and has been asked for them. */
const begun = new WeakSet<object>();

/** Takes the frames of a source one by one, checks each and copies it; disposed, tells the program that no more are wanted. */
export class FrameTaker implements AsyncDisposable {
  /** How many frames there are; null where nobody says. */
  readonly count: number | null;
  /** When the frames of an array are shown, in seconds; null where it does not say so of all, and of what is no array. */
  readonly times: readonly number[] | null;
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>;
  #taken = 0;
  #size: Pick<RgbImage, "width" | "height"> | undefined;
  #isAsked = false;
  #isOver = false;

  /** Begins to iterate; throws a UserError of one sentence for what cannot be iterated over, or was before. */
  constructor({ frames, count }: FrameSource) {
    const iterable: unknown = typeof frames === "function" ? frames() : frames;
    if (!isIterable(iterable)) {
      throw new UserError(
        `video.frames: expected the function to return an array, a generator or another iterable, got ${kindOf(iterable)}`,
      );
    }
    this.#iterator = iteratorOf(iterable);
    const length = Array.isArray(iterable) ? iterable.length : undefined;
    if (count !== undefined && length !== undefined && count !== length)
      throw otherCount(count, `${length} in the array`);
    this.count = count ?? length ?? null;
    this.times = Array.isArray(iterable) ? timesOf(iterable) : null;
  }

  /**
   * The next frame, in an array of its own; undefined behind the last.
   *
   * Throws what the program throws, a UserError of one sentence for a frame that is none or of another size, and the
   * signal's reason, however long the program takes.
   */
  async next(signal?: AbortSignal): Promise<InputFrame | undefined> {
    if (this.#isOver) return undefined;
    const { done, value } = await this.#ask(signal);
    if (done === true) {
      this.#isOver = true;
      if (this.count !== null && this.#taken < this.count)
        throw otherCount(this.count, String(this.#taken));
      return undefined;
    }
    if (this.#taken === this.count) throw otherCount(this.count, "more");
    const frame = ownFrame(value, this.#taken);
    this.#size ??= { width: frame.width, height: frame.height };
    requireSize(frame, this.#size, this.#taken);
    this.#taken++;
    return frame;
  }

  /** Ends the iteration. Waits for it, unless the program has yet to answer for a frame, which may take for ever. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const isAsked = this.#isAsked;
    const closing = (async () => void (await this.#iterator.return?.()))();
    if (isAsked) closing.catch(() => undefined);
    else await closing;
  }

  async #ask(signal: AbortSignal | undefined): Promise<IteratorResult<unknown, unknown>> {
    signal?.throwIfAborted();
    this.#isAsked = true;
    const answer = (async () => {
      try {
        return await this.#iterator.next();
      } catch (error) {
        this.#isOver = true; // what has failed is not closed, as in a loop
        throw toldError(error, this.#taken);
      } finally {
        this.#isAsked = false;
      }
    })();
    return await orAborted(answer, signal);
  }
}

function iteratorOf(iterable: Iterable<unknown> | AsyncIterable<unknown>) {
  requireUnread(iterable);
  const iterator =
    Symbol.asyncIterator in iterable
      ? iterable[Symbol.asyncIterator]()
      : iterable[Symbol.iterator]();
  if (Object.is(iterator, iterable) || iterable instanceof Readable) begun.add(iterable);
  return iterator;
}

function timesOf(frames: readonly unknown[]): number[] | null {
  const times = frames.map((one) => (isRecord(one) ? one["ptsSeconds"] : undefined));
  const isTime = (time: unknown): time is number => Number.isFinite(time);
  return times.every(isTime) ? times : null;
}

/** Throws a UserError for what was or is being read. A stream that failed says why by itself. */
function requireUnread(iterable: object): void {
  if (begun.has(iterable) || (iterable instanceof Readable && isClosed(iterable))) {
    throw new UserError(
      "video.frames: these were read before, and can be read once: give an array, or a function that gives them anew",
    );
  }
  if (iterable instanceof ReadableStream && iterable.locked) {
    throw new UserError(
      "video.frames: expected a stream that nobody else reads, this one is locked to a reader: release that first",
    );
  }
}

/** Whether a stream was closed without an error; a loop that leaves it early has Node note one of its own. */
function isClosed({ destroyed, errored, readableDidRead }: Readable): boolean {
  return destroyed && (errored === null || (readableDidRead && errored.name === "AbortError"));
}

/** What to say of an error of the program: its own, unless it is Node's about a stream that never came to its end. */
function toldError(error: unknown, taken: number): unknown {
  if (!isRecord(error) || error["code"] !== "ERR_STREAM_PREMATURE_CLOSE") return error;
  return new UserError(
    `video.frames: the stream was destroyed before its end, at frame ${taken}: end it where these are all`,
    { cause: error },
  );
}

/** A copy of what a program gave: it may draw the next frame into the same bytes. */
function ownFrame(given: unknown, index: number): InputFrame {
  if (!isPicture(given)) {
    throw new UserError(
      `video.frames: expected frame ${index} as { rgb, width, height }, rgb a Uint8Array, got ${kindOf(given)}`,
    );
  }
  const { rgb, width, height, ptsSeconds } = given;
  const bytes = width * height * 3;
  if (rgb.length !== bytes) {
    const advice = rgb.length === (bytes / 3) * 4 ? ", as RGBA has: leave alpha out" : "";
    throw new UserError(
      `video.frames: frame ${index} is ${width} × ${height}: expected ${bytes} bytes of packed RGB, got ${rgb.length}${advice}`,
    );
  }
  return { rgb: new Uint8Array(rgb), width, height, ptsSeconds };
}

function isPicture(given: unknown): given is InputFrame {
  if (!isRecord(given) || !types.isUint8Array(given["rgb"])) return false;
  const { width, height, ptsSeconds } = given;
  const isTime = ptsSeconds === undefined || Number.isFinite(ptsSeconds);
  return [width, height].every((side) => Number.isInteger(side) && Number(side) > 0) && isTime;
}

function requireSize(
  { width, height }: InputFrame,
  first: Pick<RgbImage, "width" | "height">,
  index: number,
): void {
  if (width === first.width && height === first.height) return;
  throw new UserError(
    `video.frames: frame ${index} is ${width} × ${height}, and frame 0 is ${first.width} × ${first.height}: bring the frames to one size`,
  );
}

function otherCount(count: number, came: string): UserError {
  return new UserError(
    `video.count: expected ${count} frames, as it says, got ${came}: correct it, or leave it out`,
  );
}
