import { placesOf, type ScorePlace } from "../../evaluation/world/scored-place.ts";
import { processCount, Processes } from "../processes.ts";
import type { ClipEvent, ClipWork, ScoreClip } from "./clip-work.ts";

const program = new URL("clip-worker.ts", import.meta.url);

/** Who asks: for so many processes, and until when. */
export interface ClipProcessesOptions {
  /** Default: one for each core that there is memory for; one where a GPU does the work. */
  readonly jobs?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Processes that score clips side by side. None is started where one is enough: then the process that asks does the work.
 *
 * An abort of `signal`, and disposal, end them at once: what they do leaves nothing behind.
 */
export class ClipProcesses implements AsyncDisposable {
  /** One for each process; undefined where there is none beside this one. */
  readonly scorers: readonly ScorePlace[] | undefined;
  readonly #processes: Processes<ClipEvent> | undefined;

  constructor(work: ClipWork, { jobs, signal }: ClipProcessesOptions) {
    const count = processCount(placesOf(work.options).length, jobs);
    if (count === 1) return;
    const processes = new Processes<ClipEvent>(program, { count, signal });
    this.#processes = processes;
    const score: ScorePlace = (place, { onWork, onClip }) =>
      processes.call<ScoreClip>("scorePlace", [work, place], (event) => {
        if (event.type === "work") onWork?.(event.done);
        else onClip?.(event.clip);
      });
    this.scorers = Array.from({ length: count }, () => score);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes?.[Symbol.asyncDispose]();
  }
}
