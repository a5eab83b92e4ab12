import { constants } from "node:os";
import { setImmediate } from "node:timers/promises";
import { DataError } from "../engine/errors.ts";
import { runArguments } from "./command.ts";
import { failureOf, isOfClosedFetch } from "./failure.ts";
import { Interrupts } from "./interrupts.ts";

// The only place that ends the process. Exit codes: 0 done, 1 failed, 2 misused, 128 + signal stopped.

const { argv, debug } = withoutDebug(process.argv.slice(2));
const controller = new AbortController();
const interrupts = new Interrupts();
/** What asks to stop: Ctrl-C, a system that shuts down, and a terminal that is closed. */
const STOPS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let stoppedBy: (typeof STOPS)[number] | undefined;

for (const signal of STOPS) {
  process.on(signal, () => {
    const wanted = interrupts.received();
    if (wanted === "nothing") return;
    if (wanted === "stop at once") process.exit(128 + constants.signals[signal]);
    stoppedBy = signal;
    process.stderr.write("\neve: stopping after this step; Ctrl-C again stops at once\n");
    controller.abort(new Error(`stopped by ${signal}`));
  });
}

// What runs is stopped as by Ctrl-C, and leaves as little behind.
let unwritable: NodeJS.ErrnoException | undefined;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  unwritable ??= error;
  controller.abort(error);
});

// Nobody is left to be told: the terminal is closed, or what read the messages has ended.
process.stderr.on("error", () => {});

process.on("uncaughtException", (error) => {
  if (!isOfClosedFetch(error)) fail(error);
});

try {
  const text = await runArguments(argv, { signal: controller.signal });
  if (text !== undefined) process.stdout.write(`${text}\n`);
} catch (error) {
  if (!isStop(error) && unwritable === undefined) fail(error);
}
await setImmediate(); // what could not be written is told behind the write
// A reader that has seen enough (`eve … | head`) is no failure.
if (unwritable !== undefined && unwritable.code !== "EPIPE") {
  const reason = unwritable.code === "ENOSPC" ? "no space is left there" : unwritable.message;
  fail(new DataError(`stdout cannot be written to (${reason}): give a file, or make room`));
}
process.exit(stoppedBy === undefined ? 0 : 128 + constants.signals[stoppedBy]);

function withoutDebug(args: readonly string[]): { argv: string[]; debug: boolean } {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const options = args.slice(0, end);
  return {
    argv: [...options.filter((arg) => arg !== "--debug"), ...args.slice(end)],
    debug: options.includes("--debug"),
  };
}

/** Whether a verb ended because it was asked to. */
function isStop(error: unknown): boolean {
  const { aborted, reason } = controller.signal;
  return aborted && (error === reason || (error instanceof Error && error.name === "AbortError"));
}

function fail(error: unknown): never {
  const { text, exitCode } = failureOf(error, { debug });
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}
