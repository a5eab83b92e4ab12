import { isTogether, type ResolvedSettings } from "../settings/settings.ts";
import { planWindows } from "../windows/windows.ts";

/** How far an edit is. */
export interface EditProgress {
  readonly type: "progress";
  readonly phase: "loading" | "reading" | "editing" | "writing";
  /** Denoising steps done of the current window. */
  readonly step?: number;
  /** Denoising steps of each window. */
  readonly steps?: number;
  /** Frames that are finished: edited, or copied where they are not to be. */
  readonly frame?: number;
  /** Frames of the clip; absent where only decoding would tell. */
  readonly frames?: number;
  /** Seconds left of the model's work; writing what is copied behind it is not counted. */
  readonly etaSeconds?: number;
}

/** Denoising of one frame by one step, for all windows of a clip: what time goes into. */
export function totalWork(
  frames: number,
  settings: Pick<ResolvedSettings, "window" | "overlap" | "steps" | "method">,
): number {
  const lengths = planWindows(frames, settings).map(({ length }) => length);
  const evaluated = lengths.reduce((sum, length) => sum + length, 0);
  if (!isTogether(settings.method)) return evaluated * settings.steps;
  // The first frame is edited by itself before its window is, which it alone does not need.
  return (frames === 1 ? 1 : evaluated + 1) * settings.steps;
}

/** What a meter must know of an edit before it begins. */
export interface EditExtent {
  /** Frames of the clip; null where only decoding would tell. */
  readonly frames: number | null;
  /** Denoising steps of each window. */
  readonly steps: number;
  /** As `totalWork` counts it; null where only decoding would tell. */
  readonly work: number | null;
}

/** Turns the steps of an edit into events with an estimate of the time left. */
export class ProgressMeter {
  readonly #extent: EditExtent;
  readonly #now: () => number;
  readonly #startedAt: number;
  #total: number | null;
  #work = 0;
  #frame = 0;

  /** `now` counts milliseconds. */
  constructor(extent: EditExtent, now: () => number = () => performance.now()) {
    this.#extent = extent;
    this.#total = extent.work;
    this.#now = now;
    this.#startedAt = now();
  }

  /** After a denoising step that moved `frames` frames on. */
  step(step: number, frames: number): EditProgress {
    this.#work += frames;
    return this.#event(step);
  }

  /** After a frame was handed out. */
  frameDone(): EditProgress {
    this.#frame++;
    return this.#event(this.#extent.steps);
  }

  /** A window of `frames` frames need not be edited: that was done before. */
  skip(frames: number): void {
    if (this.#total !== null) this.#total -= frames * this.#extent.steps;
  }

  #event(step: number): EditProgress {
    const { frames, steps } = this.#extent;
    const elapsed = (this.#now() - this.#startedAt) / 1000;
    // The first frame by itself tells little of how long windows take.
    const isTelling = this.#work > steps || this.#work === this.#total;
    const share = this.#total !== null && isTelling ? this.#work / this.#total : undefined;
    return {
      type: "progress",
      phase: "editing",
      step,
      steps,
      frame: this.#frame,
      ...(frames === null ? {} : { frames }),
      ...(share === undefined ? {} : { etaSeconds: Math.max(0, elapsed / share - elapsed) }),
    };
  }
}
