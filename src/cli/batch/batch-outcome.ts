import { existsSync } from "node:fs";
import type { Changes } from "../../editing/report/changes.ts";
import type { EditingModel } from "../../editing/settings/model.ts";
import type { ToldContext } from "../edit/edit-run.ts";
import { sentenceOf } from "../failure.ts";
import type { BatchLine } from "./batch-lines.ts";

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

/** Does a line, unless its result is there already; what goes wrong stays with it, a stop does not. */
export async function lineOutcome(line: BatchLine, context: ToldContext): Promise<BatchOutcome> {
  const { number } = line;
  if (!line.isReadable) return { line: number, status: "failed", problem: line.problem };
  const { output } = line;
  try {
    const finished = await finishedEdit(line, context.editor.model);
    if (finished) return { line: number, status: "skipped", output, ...finished };
    const { toldJob } = await import("../edit/edit-run.ts");
    const { checkRequest } = await import("../../editing/check.ts");
    const checked = await checkRequest(line);
    const job = { ...line, ...checked, resume: "where it is the same" as const };
    const { seconds, changes } = await toldJob(job, context);
    return { line: number, status: "done", output, seconds, changes };
  } catch (error) {
    context.signal.throwIfAborted();
    return failedOutcome(line, error);
  }
}

/** What became of a line that `error` ended. */
export function failedOutcome(line: BatchLine, error: unknown): BatchOutcome {
  const output = line.isReadable ? { output: line.output } : {};
  return { line: line.number, status: "failed", ...output, problem: sentenceOf(error) };
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
