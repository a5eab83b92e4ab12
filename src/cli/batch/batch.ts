import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineCommand } from "citty";
import type { Changes } from "../../editing/report/changes.ts";
import type { EditingModel } from "../../editing/settings/model.ts";
import { DataError } from "../../engine/errors.ts";
import { deviceArg, deviceFrom } from "../device-option.ts";
import { failureOf } from "../failure.ts";
import { duration, Reporter, table } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import type { BatchLine } from "./batch-lines.ts";
import type { JobContext } from "./edit-run.ts";

/** What became of a line. */
export interface BatchOutcome {
  readonly line: number;
  readonly status: "done" | "skipped" | "failed";
  readonly output?: string;
  readonly seconds?: number;
  readonly changes?: Changes | undefined;
  /** Why it failed, in one sentence. */
  readonly problem?: string;
}

export default defineCommand({
  meta: { name: "batch", description: "Do many edits, one JSON object a line; again continues" },
  args: {
    edits: {
      type: "positional",
      required: true,
      description: 'a file with lines such as {"input": "a.mp4", "instruction": "make it snow"}',
    },
    out: {
      type: "string",
      required: true,
      valueHint: "dir",
      description: "folder for the results",
    },
    model: {
      type: "string",
      valueHint: "dir",
      description: "model folder, or open: the public weights (default: models/tiny)",
    },
    lora: {
      type: "string",
      valueHint: "path",
      description: "with --model open: a run of eve distill, or a LoRA file",
    },
    device: deviceArg,
    json: {
      type: "boolean",
      description: "print one JSON object per event; the last is the summary",
    },
  },
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given);
    const { readBatch } = await import("./batch-lines.ts");
    const lines = await readBatch(given.edits, given.out);
    const device = deviceFrom(given.device);
    const { openEditor } = await import("./open-editor.ts"); // brings the native engine
    const onProgress = report.progress.bind(report);
    const { model, lora } = given;
    await using editor = await openEditor({ model, lora, device, signal, onProgress });
    await mkdir(given.out, { recursive: true });
    const outcomes: BatchOutcome[] = [];
    for (const line of lines) {
      const outcome = await outcomeOf(line, { editor, report, signal });
      outcomes.push(outcome);
      report.event({ type: "line", ...outcome }, lineText(outcome));
      await writeSummary(given.out, outcomes);
    }
    report.event({ type: "batch", outcomes }, summaryTable(outcomes));
    const failed = outcomes.filter(({ status }) => status === "failed").length;
    if (failed === 0) return;
    throw new DataError(`${failed} of ${lines.length} edits failed: the table says why`);
  },
});

/** Does a line, unless its result is there already; what goes wrong stays with it, a stop does not. */
async function outcomeOf(line: BatchLine, context: JobContext): Promise<BatchOutcome> {
  const { number } = line;
  if (!line.isReadable) return { line: number, status: "failed", problem: line.problem };
  const { output } = line;
  try {
    const finished = await finishedEdit(line, context.editor.model);
    if (finished) return { line: number, status: "skipped", output, ...finished };
    context.report.event({ type: "line-start", line: number, output });
    const { runJob } = await import("./edit-run.ts");
    const { checkRequest } = await import("../../editing/check.ts");
    const job = { ...line, ...(await checkRequest(line)), resume: true };
    const { seconds, changes } = await runJob(job, context);
    return { line: number, status: "done", output, seconds, changes };
  } catch (error) {
    context.signal.throwIfAborted();
    const problem = failureOf(error, { debug: false }).text.replace(/^eve: /, "");
    return { line: number, status: "failed", output, problem };
  }
}

/** Time and changes of a result that the same edit of the same input by the same weights has made before, stored alike. */
async function finishedEdit(
  { video, output, encoding, settings }: Extract<BatchLine, { isReadable: true }>,
  model: EditingModel,
): Promise<Pick<BatchOutcome, "seconds" | "changes"> | undefined> {
  const { fileHash, readReceipt, receiptPath } = await import("../../editing/report/receipt.ts");
  if (!existsSync(output) || !existsSync(receiptPath(output)) || !existsSync(video))
    return undefined;
  const { readSettings, resolveSettings } = await import("../../editing/settings/settings.ts");
  const { maskHash } = await import("../../editing/frames/mask.ts");
  const wanted = resolveSettings(readSettings(settings), model);
  const receipt = await readReceipt(receiptPath(output));
  const isSame =
    receipt.model.hash === model.hash &&
    receipt.output.codec === encoding.codec &&
    receipt.output.quality === encoding.quality &&
    JSON.stringify(resolveSettings(receipt.settings, model)) === JSON.stringify(wanted) &&
    receipt.input.sha256 === (await fileHash(video)) &&
    receipt.mask?.sha256 === (wanted.mask === "" ? undefined : await maskHash(wanted.mask));
  return isSame ? { seconds: receipt.seconds, changes: receipt.changes } : undefined;
}

async function writeSummary(folder: string, outcomes: readonly BatchOutcome[]): Promise<void> {
  const { writeAtomically } = await import("../../data/video/output-file.ts");
  await writeAtomically(join(folder, "summary.json"), (temporary) =>
    writeFile(temporary, `${JSON.stringify({ outcomes }, null, 2)}\n`),
  );
}

function lineText({ line, status, output, problem }: BatchOutcome): string {
  return `line ${line} ${status}: ${problem ?? output ?? ""}`;
}

/** All lines as a table: what became of each, how long it took, how much changed. */
export function summaryTable(outcomes: readonly BatchOutcome[]): string {
  const rows = outcomes.map(({ line, status, output = "", seconds, changes, problem }) => [
    String(line),
    status,
    seconds === undefined ? "" : duration(seconds),
    changes === undefined ? "" : `${(100 * changes.changedShare).toFixed(1)} %`,
    problem ?? output,
  ]);
  return table([["line", "status", "time", "changed", "output"], ...rows]);
}
