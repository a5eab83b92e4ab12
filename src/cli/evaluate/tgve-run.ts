import { countEdits } from "../../data/tgve/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import { scoreTgve, type TgveOptions } from "../../evaluation/tgve/tgve-metrics.ts";
import { tgveTable } from "../../evaluation/tgve/tgve-table.ts";
import { table, type Reporter } from "../output.ts";

/** Refuses a folder in which no edit of the benchmark lies, before any network is opened. */
export async function requireSubmission({
  dataset,
  submission,
}: Pick<TgveOptions, "dataset" | "submission">): Promise<void> {
  if ((await countEdits(dataset, submission)) > 0) return;
  throw new UserError(
    `expected a submission to TGVE in ${submission} (<set>/<video>/<edit>/*.jpg, as "./eve edit --tgve <set>" writes it), found no edit of the benchmark there`,
  );
}

/** Scores a submission; prints each edit as an event, and at the end the table. */
export async function runTgve(options: TgveOptions, report: Reporter): Promise<void> {
  const startedAt = performance.now();
  for await (const event of scoreTgve(options)) {
    if (event.type === "benchmark-scored") {
      if (event.missing > 0)
        report.warn(
          `the submission lacks ${event.missing} of ${event.missing + event.scored} edits: the means are over the others`,
        );
      report.event({ ...event }, table(tgveTable(event)));
      continue;
    }
    report.event({ ...event });
    const { done, total, video, edit } = event;
    const elapsed = (performance.now() - startedAt) / 1000;
    report.progress({
      type: "progress",
      phase: "scoring",
      step: done,
      steps: total,
      detail: `${video} · ${edit}`,
      etaSeconds: (elapsed * (total - done)) / done,
    });
  }
}
