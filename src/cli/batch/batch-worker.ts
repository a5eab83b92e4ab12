import { worker, workerEmit } from "workerpool";
import type { Editor } from "../../editing/editor.ts";
import { lineOutcome } from "./batch-outcome.ts";
import type { DoLineThere } from "./batch-work.ts";
import { openEditor } from "../edit/open-editor.ts";

// The program of each process of a batch: loads the model with its first line, and does one line after the other. Told to
// end, it stops behind the step that it is at: no half-written file stays, and a later batch continues behind finished windows.

const stopping = new AbortController();
const { signal } = stopping;
let opened: Promise<Editor> | undefined;
let running: Promise<unknown> = Promise.resolve();

const doLine: DoLineThere = (choice, line) => {
  opened ??= openEditor({ ...choice, signal });
  const outcome = opened.then((editor) =>
    lineOutcome(line, {
      editor,
      signal,
      tell: (event) => event.type !== "end" && workerEmit(event),
    }),
  );
  running = outcome;
  return outcome;
};

// A terminal sends Ctrl-C to all processes: the one that asks says what it means
process.on("SIGINT", () => undefined);

worker(
  { doLine },
  {
    async onTerminate() {
      stopping.abort(new Error("stopped"));
      await running.catch(() => undefined);
    },
  },
);
