import type { TrainConfig } from "./config.ts";

/** How fast a session trains, when it will be done, and when the next checkpoint is due. */
export class Pace {
  readonly #config: TrainConfig;
  readonly #startStep: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #lastEnd: number;
  #savedAt: number;
  #secondsPerStep: number | undefined;
  #samples: number;

  /** `now` gives milliseconds. */
  constructor(config: TrainConfig, startStep: number, now = (): number => performance.now()) {
    this.#config = config;
    this.#startStep = startStep;
    this.#now = now;
    this.#samples = config.batch;
    this.#startedAt = this.#lastEnd = this.#savedAt = now();
  }

  /**
   * Notes the end of a step that showed so many samples, a batch by default; returns the seconds since the end of the one
   * before, whatever filled them.
   */
  stepDone(samples = this.#config.batch): number {
    const end = this.#now();
    const seconds = (end - this.#lastEnd) / 1000;
    this.#lastEnd = end;
    this.#samples = samples;
    this.#secondsPerStep = 0.95 * (this.#secondsPerStep ?? seconds) + 0.05 * seconds;
    return seconds;
  }

  /** The figures of a progress line after `step` steps. */
  now(step: number): { samplesPerSecond: number; etaSeconds: number } {
    const { steps } = this.#config;
    const elapsed = (this.#now() - this.#startedAt) / 1000;
    return {
      samplesPerSecond: this.#samples / Math.max(this.#secondsPerStep ?? 0, 1e-9),
      etaSeconds: ((steps - step) * elapsed) / Math.max(1, step - this.#startStep),
    };
  }

  /** Has the clock of checkpoints begin anew. */
  checkpointSaved(): void {
    this.#savedAt = this.#now();
  }

  /** Whether a checkpoint is to be saved after `step` steps: by their number, or by the minutes since the last. */
  isCheckpointDue(step: number): boolean {
    const { checkpointEvery, checkpointEveryMinutes } = this.#config;
    if (checkpointEvery > 0 && step % checkpointEvery === 0) return true;
    return (
      checkpointEveryMinutes > 0 && this.#now() - this.#savedAt >= checkpointEveryMinutes * 60_000
    );
  }
}
