import type { VideoInfo } from "../../data/video/video-info.ts";
import { invariant, UserError } from "../../engine/errors.ts";
import type { EditedFrame } from "./edited-frame.ts";

/** A moment of a video: a frame, counted from 0, or seconds after its first picture. */
export interface Moment {
  readonly unit: "frames" | "seconds";
  readonly at: number;
}

/** Which frames to edit: from the first moment to just before the second; an end that is missing is the video's. */
export interface Span {
  readonly from?: Moment;
  readonly to?: Moment;
}

/** The whole video, as settings say it. */
export const ALL_FRAMES = "..";

const momentPattern = /^(\d+(?:\.\d+)?)(s?)$/;

/** Reads `2s` or `48`; undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  const [, number, unit] = momentPattern.exec(text) ?? [];
  if (number === undefined) return undefined;
  if (unit === "s") return { unit: "seconds", at: Number(number) };
  return Number.isInteger(Number(number)) ? { unit: "frames", at: Number(number) } : undefined;
}

/** Reads `from..to`; `error` says in a few words what is wrong with it. */
export function parseSpan(text: string): { readonly span: Span; readonly error?: string } {
  const [first = "", second, ...rest] = text.split("..");
  const shape = `expected a span such as 2s..6s, 48..96 or 10.., got "${text.slice(0, 60)}"`;
  if (second === undefined || rest.length > 0) return { span: {}, error: shape };
  const from = first === "" ? undefined : parseMoment(first);
  const to = second === "" ? undefined : parseMoment(second);
  const isRead = (part: string, moment?: Moment) => part === "" || moment !== undefined;
  if (!isRead(first, from) || !isRead(second, to)) return { span: {}, error: shape };
  if (from && to && from.unit === to.unit && from.at >= to.at) {
    return { span: {}, error: `expected a span that ends after it begins, got "${text}"` };
  }
  return { span: { ...(from && { from }), ...(to && { to }) } };
}

/** What tells whether a frame has been reached: its number, and when it is shown after the first one. */
export interface FramePlace {
  readonly index: number;
  readonly seconds: number;
}

/** Whether `place` is at the moment or after it. */
export function isReached({ unit, at }: Moment, { index, seconds }: FramePlace): boolean {
  // A clock in milliseconds says 1.999 for a picture at 2 s.
  return unit === "frames" ? index >= at : seconds >= at - 0.001;
}

/** How many frames of a video lie in the span, as its container tells; null where it does not. */
export function framesWithin(
  { from, to }: Span,
  info: Pick<VideoInfo, "frames" | "averageFps">,
): number | null {
  const { frames, averageFps } = info;
  if (frames === null) return null;
  const numberOf = ({ unit, at }: Moment): number =>
    unit === "frames" ? at : Math.ceil((at - 0.001) * averageFps);
  const end = Math.min(frames, to ? numberOf(to) : frames);
  return Math.max(0, end - (from ? Math.max(0, numberOf(from)) : 0));
}

/** Throws a UserError of one sentence where the span lies behind the video's end, as far as the container tells. */
export function requireFrames(text: string, info: VideoLength): void {
  const { from } = parseSpan(text).span;
  if (info.frames === null || from === undefined) return;
  const length = from.unit === "frames" ? info.frames : info.durationSeconds;
  if (length > 0 && from.at >= length) throw emptySpan(text, info);
}

function emptySpan(text: string, info: VideoLength): UserError {
  return new UserError(`frames: ${text} holds no frame of the video${whichHas(info)}`);
}

/** How long a video is, as its container tells. */
export type VideoLength = Pick<VideoInfo, "frames" | "durationSeconds">;

/** How long a video is, behind its name in a sentence; empty where nobody knows. */
export function whichHas({ frames, durationSeconds }: VideoLength): string {
  const known = [
    ...(frames === null ? [] : [`${frames} frames`]),
    ...(durationSeconds === 0 ? [] : [`${durationSeconds.toFixed(2)} s`]),
  ];
  return known.length === 0 ? "" : `, which has ${known.join(", ")}`;
}

/** Edits frames; `first` is the number of the first one in its clip. */
export type EditFrames = (
  frames: AsyncIterable<EditedFrame>,
  first: number,
) => AsyncIterable<EditedFrame>;

/**
 * The frames of a clip, those within the span edited by `edit` and all others as they are.
 *
 * Holds one frame besides what `edit` holds. Throws a UserError where the span turns out to hold none.
 */
export async function* withinSpan(
  frames: AsyncIterable<EditedFrame>,
  text: string,
  edit: EditFrames,
  info: VideoLength,
): AsyncGenerator<EditedFrame, void, undefined> {
  const { from, to } = parseSpan(text).span;
  const clip = new PlacedFrames(frames);
  try {
    for (;;) {
      const place = await clip.place();
      if (!place) throw emptySpan(text, info);
      if (from === undefined || isReached(from, place)) break;
      yield clip.take();
    }
    const start = await clip.place();
    if (!start || (to && isReached(to, start))) throw emptySpan(text, info);
    yield* edit(clip.until(to), start.index);
    while (await clip.place()) yield clip.take();
  } finally {
    await clip.close();
  }
}

/** A stream that can be looked at one frame ahead. */
class PlacedFrames {
  readonly #iterator: AsyncIterator<EditedFrame>;
  #next: EditedFrame | undefined;
  #start: number | undefined;

  constructor(frames: AsyncIterable<EditedFrame>) {
    this.#iterator = frames[Symbol.asyncIterator]();
  }

  /** Where the next frame is; undefined at the end. */
  async place(): Promise<FramePlace | undefined> {
    if (!this.#next) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return undefined;
      this.#next = value;
    }
    const { index, ptsSeconds } = this.#next;
    this.#start ??= ptsSeconds;
    return { index, seconds: ptsSeconds - this.#start };
  }

  /** The frame that `place` has told of. */
  take(): EditedFrame {
    const frame = this.#next;
    invariant(frame, "a frame is taken after it was looked at");
    this.#next = undefined;
    return frame;
  }

  /** The frames before a moment; it may be left and the rest taken. */
  async *until(moment: Moment | undefined): AsyncGenerator<EditedFrame, void, undefined> {
    for (let place = await this.place(); place; place = await this.place()) {
      if (moment && isReached(moment, place)) return;
      yield this.take();
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
