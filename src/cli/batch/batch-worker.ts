import { worker, workerEmit } from "workerpool";
import type { Editor } from "../../editing/editor.ts";
import type { EditEvent } from "../../editing/report/events.ts";
import { openEditor } from "../edit/open-editor.ts";
import { failureOf, sentenceOf } from "../failure.ts";
import { failedOutcome, lineOutcome } from "./batch-outcome.ts";
import type { BatchChoice, DoLineThere, OpenThere } from "./batch-work.ts";

// The program of each process of a batch: loads the model when it is first asked, and does one line after the other. Told to
// end, it stops behind the step that it is at: no half-written file stays, and a later batch continues behind finished windows.

const stopping = new AbortController();
const { signal } = stopping;
let opened: Promise<Editor> | undefined;
let running: Promise<unknown> = Promise.resolve();

const editorFor = (choice: BatchChoice): Promise<Editor> =>
  (opened ??= openEditor({ ...choice, signal }));

const open: OpenThere = async (choice) => {
  try {
    await editorFor(choice);
    return undefined;
  } catch (error) {
    const { exitCode } = failureOf(error, { debug: false });
    return { exitCode, sentence: sentenceOf(error) };
  }
};

const doLine: DoLineThere = (choice, line) => {
  const outcome = outcomeHere(choice, line);
  running = outcome;
  return outcome;
};

const outcomeHere: DoLineThere = async (choice, line) => {
  const tell = (event: EditEvent): void => {
    if (event.type !== "end") workerEmit(event);
  };
  try {
    return await lineOutcome(line, { editor: await editorFor(choice), signal, tell });
  } catch (error) {
    signal.throwIfAborted();
    return failedOutcome(line, error);
  }
};

// A terminal sends Ctrl-C to all processes: the one that asks says what it means
process.on("SIGINT", () => undefined);

worker(
  { open, doLine },
  {
    async onTerminate() {
      stopping.abort(new Error("stopped"));
      await running.catch(() => undefined);
    },
  },
);
