import { availableParallelism, freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { pool as startPool, TerminateError, type Pool } from "workerpool";
import { defaultDevice } from "../engine/device.ts";
import { DataError } from "../engine/errors.ts";
import { physicalCores, readCpuInfo } from "../engine/processor.ts";

/** Free memory that a process should find, in bytes: with `tiny` one that scores clips takes 0.6 GiB. */
const MEMORY = 2 ** 30;

/** How many processes are to do so many things side by side, and until when. */
export interface ProcessesOptions {
  readonly count: number;
  readonly signal: AbortSignal;
  /** Milliseconds that a process has to come to an end in; one that leaves nothing behind needs none. Default: a second. */
  readonly patience?: number | undefined;
}

/**
 * How many processes are to do `things`, never more than there are: `jobs`, else one for each core that there is `memory` for; one
 * where a GPU does the work.
 */
export function processCount(things: number, jobs?: number, memory = MEMORY): number {
  const room = Math.max(1, Math.floor(freemem() / memory));
  const most = defaultDevice() === "cpu" ? Math.min(cores(), room) : 1;
  return Math.min(things, jobs ?? most);
}

function cores(): number {
  return physicalCores(readCpuInfo(), availableParallelism());
}

/**
 * Processes of one program that work side by side, each on its share of the cores: operators of small networks gain little from a
 * second thread, clips do. What they tell on the way are events.
 *
 * An abort of `signal`, and disposal, end them.
 */
export class Processes<Event> implements AsyncDisposable {
  readonly count: number;
  readonly #pool: Pool;
  readonly #signal: AbortSignal;
  #ending: Promise<unknown> | undefined;

  constructor(program: URL, { count, signal, patience }: ProcessesOptions) {
    const threads = Math.max(1, Math.floor(cores() / count));
    this.count = count;
    this.#signal = signal;
    this.#pool = startPool(fileURLToPath(program), {
      workerType: "process",
      maxWorkers: count,
      ...(patience !== undefined && { workerTerminateTimeout: patience }),
      forkOpts: {
        serialization: "advanced",
        env: { OMP_NUM_THREADS: String(threads), ...process.env },
      },
    });
    signal.addEventListener("abort", this.#end);
  }

  /**
   * Has a process call `method`, as soon as one is free; `on` hears what it tells.
   *
   * Throws a DataError where the process is ended from outside.
   */
  async call<Method extends (...params: never[]) => Promise<unknown>>(
    method: string,
    params: Parameters<Method>,
    on: (event: Event) => void,
  ): Promise<Awaited<ReturnType<Method>>> {
    try {
      return await this.#pool.exec<Method>(method, params, { on });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof TerminateError)) throw error;
      throw new DataError(
        `expected each of ${this.count} processes to edit its clips, but one was ended from outside, as it is where memory runs out: ` +
          "choose fewer with --jobs",
        { cause: error },
      );
    }
  }

  readonly #end = (): void => {
    this.#ending ??= Promise.resolve(this.#pool.terminate(true));
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#end);
    this.#end();
    await this.#ending;
  }
}
