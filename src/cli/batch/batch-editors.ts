import type { EditEvent } from "../../editing/report/events.ts";
import { chooseDevice } from "../../engine/device.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { OPEN_NAME } from "../../eve/open/open-name.ts";
import { openEditor } from "../edit/open-editor.ts";
import type { Reporter } from "../output.ts";
import { processCount, Processes } from "../processes.ts";
import { failedOutcome, lineOutcome } from "./batch-outcome.ts";
import type { BatchChoice, DoLine, DoLineThere, OpenThere } from "./batch-work.ts";

const program = new URL("batch-worker.ts", import.meta.url);

/** Free memory that a process should find, in bytes: a model, and the frames of a large video. */
const MEMORY = 2 * 2 ** 30;

/** Milliseconds that a stopped process has for the step that it is at. */
const PATIENCE = 120_000;

/** What is to be done, by how many, and who hears of it. */
export interface BatchEditorsOptions {
  /** Lines that can be read. */
  readonly readable: number;
  /** Default: one process for each core that there is memory for; one where a GPU does the work, or for the open model. */
  readonly jobs: number | undefined;
  readonly signal: AbortSignal;
  readonly report: Reporter;
}

/** Those that do lines of a batch side by side. */
export interface BatchEditors extends AsyncDisposable {
  readonly all: readonly DoLine[];
}

/**
 * Processes that do lines side by side; where one is enough, this process with the model loaded.
 *
 * Throws where the model cannot be loaded. Disposal waits until those that were stopped have come to an end.
 */
export async function openBatchEditors(
  choice: BatchChoice,
  { readable, jobs, signal, report }: BatchEditorsOptions,
): Promise<BatchEditors> {
  chooseDevice(choice.device ?? "auto");
  const asked = jobs ?? (choice.model === OPEN_NAME ? 1 : undefined);
  const count = processCount(Math.max(1, readable), asked, MEMORY);
  if (count === 1) return await here(choice, signal, report);
  report.progress({ type: "progress", phase: `loading into ${count} processes` });
  await using stack = new AsyncDisposableStack();
  const processes = stack.use(
    new Processes<EditEvent>(program, { count, signal, patience: PATIENCE }),
  );
  await requireModel(processes, choice);
  const there: DoLine = async (line, tell) => {
    try {
      return await processes.call<DoLineThere>("doLine", [choice, line], tell);
    } catch (error) {
      signal.throwIfAborted();
      return failedOutcome(line, error);
    }
  };
  const kept = stack.move();
  return {
    all: Array.from({ length: count }, () => there),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Has the first process load the model: what is wrong with it is wrong for all lines. */
async function requireModel(processes: Processes<EditEvent>, choice: BatchChoice): Promise<void> {
  const refusal = await processes.call<OpenThere>("open", [choice], () => undefined);
  if (refusal === undefined) return;
  const { exitCode, sentence } = refusal;
  throw exitCode === 2 ? new UserError(sentence) : new DataError(sentence);
}

async function here(
  choice: BatchChoice,
  signal: AbortSignal,
  report: Reporter,
): Promise<BatchEditors> {
  const onProgress = report.progress.bind(report);
  const editor = await openEditor({ ...choice, signal, onProgress });
  return {
    all: [(line, tell) => lineOutcome(line, { editor, signal, tell })],
    [Symbol.asyncDispose]: () => editor[Symbol.asyncDispose](),
  };
}
