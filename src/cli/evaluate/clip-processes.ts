import { availableParallelism, freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { pool as startPool, TerminateError, type Pool } from "workerpool";
import { defaultDevice } from "../../engine/device.ts";
import { DataError } from "../../engine/errors.ts";
import { physicalCores, readCpuInfo } from "../../engine/processor.ts";
import { placesOf, type ScorePlace } from "../../evaluation/world/scored-place.ts";
import type { ClipEvent, ClipWork, ScoreClip } from "./clip-work.ts";

/** Free memory that a process should find, in bytes: with `tiny` it takes 0.6 GiB. */
const MEMORY = 2 ** 30;

const program = fileURLToPath(new URL("clip-worker.ts", import.meta.url));

/** Who asks: for so many processes, and until when. */
export interface ClipProcessesOptions {
  /** Default: one for each core that there is memory for; one where a GPU does the work. */
  readonly jobs?: number | undefined;
  readonly signal: AbortSignal;
}

/** How many processes are to score so many clips; never more than there are clips. */
export function processCount(clips: number, jobs?: number): number {
  const room = Math.max(1, Math.floor(freemem() / MEMORY));
  const most = defaultDevice() === "cpu" ? Math.min(cores(), room) : 1;
  return Math.min(clips, jobs ?? most);
}

function cores(): number {
  return physicalCores(readCpuInfo(), availableParallelism());
}

/**
 * Processes that score clips side by side, each on its share of the cores: operators of small networks gain little from a
 * second thread, clips do. None is started where one is enough: then the process that asks does the work.
 *
 * An abort of `signal`, and disposal, end them at once: what they do leaves nothing behind.
 */
export class ClipProcesses implements AsyncDisposable {
  /** One for each process; undefined where there is none beside this one. */
  readonly scorers: readonly ScorePlace[] | undefined;
  readonly #pool: Pool | undefined;
  readonly #signal: AbortSignal;

  constructor(work: ClipWork, { jobs, signal }: ClipProcessesOptions) {
    this.#signal = signal;
    const count = processCount(placesOf(work.options).length, jobs);
    if (count === 1) return;
    const threads = Math.max(1, Math.floor(cores() / count));
    const pool = startPool(program, {
      workerType: "process",
      maxWorkers: count,
      forkOpts: {
        serialization: "advanced",
        env: { OMP_NUM_THREADS: String(threads), ...process.env },
      },
    });
    this.#pool = pool;
    signal.addEventListener("abort", this.#end);
    const score: ScorePlace = async (place, { onWork, onClip }) => {
      const on = (event: ClipEvent): void => {
        if (event.type === "work") onWork?.(event.done);
        else onClip?.(event.clip);
      };
      try {
        return await pool.exec<ScoreClip>("scorePlace", [work, place], { on });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TerminateError)) throw error;
        throw new DataError(
          `expected each of ${count} processes to edit its clips, but one was ended from outside, as it is where memory runs out: ` +
            "choose fewer with --jobs",
          { cause: error },
        );
      }
    };
    this.scorers = Array.from({ length: count }, () => score);
  }

  readonly #end = (): void => void this.#pool?.terminate(true);

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#end);
    await this.#pool?.terminate(true);
  }
}
