import { invariant } from "../../engine/errors.ts";

/** How a long clip is cut for a model that sees `window` frames at once. */
export interface WindowOptions {
  /** Most frames of one window, at least 1. */
  readonly window: number;
  /** Edited frames that a window begins with, at least; less than `window`, 0 where frames are independent. */
  readonly overlap: number;
}

/** One window of a clip. */
export interface WindowPlace {
  /** Index of its first frame in the clip. */
  readonly start: number;
  /** How many of its first frames are edited already. */
  readonly known: number;
  /** Known and new frames together. */
  readonly length: number;
}

/** How many new frames the next window takes, after `produced` edited ones. */
export function windowCapacity(produced: number, { window, overlap }: WindowOptions): number {
  return produced === 0 ? window : window - overlap;
}

/**
 * The window for the next `fresh` frames, after `produced` edited ones.
 *
 * Where fewer frames are left than fit, more edited ones go before them: the last window of a clip
 * is as long as the others, and only a clip shorter than one window has a shorter one.
 */
export function placeWindow(produced: number, fresh: number, options: WindowOptions): WindowPlace {
  invariant(
    fresh >= 1 && fresh <= windowCapacity(produced, options),
    `${fresh} new frames fit a window`,
  );
  const known = options.overlap === 0 ? 0 : Math.min(produced, options.window - fresh);
  return { start: produced - known, known, length: known + fresh };
}

/**
 * All windows of a clip of `frames` frames; every frame is new in exactly one of them.
 *
 * Deviation: the paper's sliding window is InsV2V's, which corrects the noise of new frames by what known ones lacked.
 */
export function planWindows(frames: number, options: WindowOptions): WindowPlace[] {
  const places: WindowPlace[] = [];
  for (let produced = 0; produced < frames;) {
    const fresh = Math.min(windowCapacity(produced, options), frames - produced);
    places.push(placeWindow(produced, fresh, options));
    produced += fresh;
  }
  return places;
}

/** Groups a stream into the new frames of each window, holding one group at a time. */
export async function* inWindows<T>(
  frames: AsyncIterable<T>,
  options: WindowOptions,
): AsyncGenerator<T[], void, undefined> {
  let produced = 0;
  let group: T[] = [];
  for await (const frame of frames) {
    group.push(frame);
    if (group.length < windowCapacity(produced, options)) continue;
    produced += group.length;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
