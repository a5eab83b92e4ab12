import type { Progress } from "./output.ts";

/** Tells how far a job of known length is, and when it will be done at the pace so far. */
export class JobProgress {
  readonly #phase: string;
  readonly #total: number;
  readonly #now: () => number;
  readonly #startedAt: number;

  /** `now` counts milliseconds. */
  constructor(phase: string, total: number, now: () => number = () => performance.now()) {
    this.#phase = phase;
    this.#total = total;
    this.#now = now;
    this.#startedAt = now();
  }

  /** After `done` of all. */
  at(done: number): Progress {
    const elapsed = (this.#now() - this.#startedAt) / 1000;
    const etaSeconds = done === 0 ? {} : { etaSeconds: (elapsed / done) * (this.#total - done) };
    return { type: "progress", phase: this.#phase, step: done, steps: this.#total, ...etaSeconds };
  }
}
