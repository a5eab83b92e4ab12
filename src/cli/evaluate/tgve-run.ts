import { missingEdits } from "../../data/tgve/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import { scoreTgve, type TgveOptions } from "../../evaluation/tgve/tgve-metrics.ts";
import { tgveTable } from "../../evaluation/tgve/tgve-table.ts";
import { table, type Reporter } from "../output.ts";

/**
 * Says what a submission lacks, before any network is opened.
 *
 * Throws a UserError for a folder in which no edit of the benchmark lies.
 */
export async function requireSubmission(
  { dataset, submission }: Pick<TgveOptions, "dataset" | "submission">,
  report: Reporter,
): Promise<void> {
  const missing = await missingEdits(dataset, submission);
  const total = dataset.videos.reduce((sum, { edits }) => sum + edits.length, 0);
  if (missing.length === total)
    throw new UserError(
      `expected a submission to TGVE in ${submission} (<set>/<video>/<edit>/*.jpg, as "./eve evaluate tgve-edits" and "./eve batch" make it), found no edit of the benchmark there`,
    );
  if (missing.length > 0)
    report.warn(
      `the submission lacks ${missing.length} of ${total} edits, the first ${missing[0]}: the means are over the others`,
    );
}

/** Scores a submission; prints each edit as an event, and at the end the table. */
export async function runTgve(options: TgveOptions, report: Reporter): Promise<void> {
  const startedAt = performance.now();
  for await (const event of scoreTgve(options)) {
    if (event.type === "benchmark-scored") {
      report.event({ ...event }, table(tgveTable(event)));
      continue;
    }
    report.event({ ...event });
    const { done, total, video, edit, framesDone, framesTotal } = event;
    const elapsed = (performance.now() - startedAt) / 1000;
    report.progress({
      type: "progress",
      phase: "scoring",
      step: done,
      steps: total,
      detail: `${video} · ${edit}`,
      ...(framesDone > 0 && { etaSeconds: (elapsed * (framesTotal - framesDone)) / framesDone }),
    });
  }
}
