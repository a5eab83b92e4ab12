import { existsSync } from "node:fs";
import type { Changes } from "../../editing/report/changes.ts";
import { UserError } from "../../engine/errors.ts";
import type { ToldContext } from "../edit/edit-run.ts";
import { finishedEdit } from "../edit/finished-edit.ts";
import { isOwnResult } from "../../editing/kept-files.ts";
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
    if (finished) {
      const { seconds, changes } = finished;
      return { line: number, status: "skipped", output, seconds, changes };
    }
    requireOwn(line);
    const { toldJob } = await import("../edit/edit-run.ts");
    const { checkRequest } = await import("../../editing/check.ts");
    const { videoFile } = await import("../../data/video/video-source.ts");
    const checked = await checkRequest({ ...line, source: videoFile(line.video) });
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

/** Throws a UserError where a file would be lost that no edit of ours has made. */
function requireOwn({
  output,
  compare,
  changeMap,
}: Extract<BatchLine, { isReadable: true }>): void {
  if (isOwnResult(output)) return;
  const foreign = [output, compare, changeMap].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (foreign === undefined) return;
  throw new UserError(
    `${foreign} exists and has no receipt of an edit: give another name, or move it away`,
  );
}
