import type { EditEvent } from "../../editing/report/events.ts";
import type { EditProgress } from "../../editing/report/progress.ts";
import { estimateLine, isUnfinished, warningLine } from "../edit/edit-run.ts";
import { progressLine, type Progress, type Reporter } from "../output.ts";
import type { BatchLine } from "./batch-lines.ts";
import type { BatchOutcome } from "./batch-outcome.ts";
import type { DoLine } from "./batch-work.ts";

/** Lines whose progress is shown side by side; of further ones only the number. */
const SHOWN = 3;

/**
 * Does all lines, as many at a time as there are `editors`; `done` hears of one outcome after the other.
 *
 * Where it is stopped, it says which lines the same batch will continue.
 */
export async function runBatch(
  lines: readonly BatchLine[],
  editors: readonly DoLine[],
  { report, signal }: { report: Reporter; signal: AbortSignal },
  done: (outcome: BatchOutcome) => Promise<void>,
): Promise<void> {
  const running = new RunningLines(report, lines.length);
  const queue = lines.values();
  let told = Promise.resolve();
  const drain = async (edit: DoLine): Promise<void> => {
    for (const line of queue) {
      running.begin(line);
      const outcome = await edit(line, (event) => running.tell(line, event));
      running.end(line);
      told = told.then(() => done(outcome));
      await told;
    }
  };
  try {
    await Promise.all(editors.map(drain));
  } catch (error) {
    if (signal.aborted) running.warnOfUnfinished();
    throw error;
  }
}

/** Shows what the lines tell that are being done. */
class RunningLines {
  readonly #report: Reporter;
  readonly #count: number;
  /** What each told last of its progress. */
  readonly #progress = new Map<BatchLine, EditProgress | undefined>();

  constructor(report: Reporter, count: number) {
    this.#report = report;
    this.#count = count;
  }

  begin(line: BatchLine): void {
    this.#progress.set(line, undefined);
    const output = line.isReadable ? { output: line.output } : {};
    this.#report.event({ type: "line-start", line: line.number, ...output });
  }

  tell(line: BatchLine, event: EditEvent): void {
    const { number } = line;
    const report = this.#report;
    switch (event.type) {
      case "progress":
        this.#progress.set(line, event);
        return report.json
          ? report.event({ ...event, line: number })
          : report.progress(this.#together());
      case "warning":
        return report.note({ ...event, line: number }, `line ${number}: ${warningLine(event)}`);
      case "estimate":
        return report.note({ ...event, line: number }, `line ${number}: ${estimateLine(event)}`);
      case "start":
        return report.event({ ...event, line: number });
      case "end":
        return undefined;
    }
  }

  end(line: BatchLine): void {
    this.#progress.delete(line);
  }

  warnOfUnfinished(): void {
    for (const line of this.#progress.keys()) {
      if (line.isReadable && isUnfinished(line.output))
        this.#report.warn(
          `line ${line.number}: ${line.output} is not finished: the same command continues it`,
        );
    }
  }

  /** e.g. `lines 3, 4 of 10 · denoising · step 1/3 | writing · frame 8/16`. */
  #together(): Progress {
    const all = [...this.#progress].toSorted(([one], [other]) => one.number - other.number);
    const numbers = all.map(([{ number }]) => number);
    const shown = all.slice(0, SHOWN).map(([, progress]) => progress);
    const more = numbers.length - shown.length;
    const details = shown.map((progress) => (progress ? progressLine(progress) : "starting"));
    return {
      type: "progress",
      phase: `line${numbers.length > 1 ? "s" : ""} ${numbers.join(", ")} of ${this.#count}`,
      detail: [...details, ...(more > 0 ? [`${more} more`] : [])].join(" | "),
    };
  }
}
