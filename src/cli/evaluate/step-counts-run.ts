import type { EvaluatedModel } from "../../evaluation/methods/evaluated-model.ts";
import type { ClipsContext } from "../../evaluation/world/clips.ts";
import type { PlaceOptions, StepsScored } from "../../evaluation/world/scored-place.ts";
import { fastestSentence, stepCountsTable } from "../../evaluation/world/step-counts-table.ts";
import { evaluateStepCounts, stepCountsCost } from "../../evaluation/world/step-counts.ts";
import { leftOut } from "../../evaluation/world/world-evaluation.ts";
import { table, type Reporter } from "../output.ts";
import { evaluationProgress } from "./evaluation-progress.ts";

/** Who watches. */
interface StepCountsRun {
  readonly report: Reporter;
  readonly signal: AbortSignal;
  /** What scores the clips; default: this process. */
  readonly scorers?: ClipsContext["scorers"];
}

/** Measures a model in different numbers of steps; prints each clip as an event, and at the end the table. */
export async function runStepCounts(
  model: EvaluatedModel,
  options: PlaceOptions,
  { report, signal, scorers }: StepCountsRun,
): Promise<void> {
  const onWork = evaluationProgress(report, { total: stepCountsCost(model, options) });
  const onClip = ({ task, index, method, steps, seconds, instruction, scores }: StepsScored) =>
    report.event({
      type: "clip-scored",
      task,
      index,
      method,
      steps,
      seconds,
      instruction,
      ...scores,
    });
  const found = await evaluateStepCounts(model, options, { signal, onWork, onClip, scorers });
  for (const note of leftOut(model, options, ["clips"])) report.warn(note);
  const { name, hash } = model;
  report.event(
    { ...options, type: "step-counts", model: { name, hash }, ...found },
    [table(stepCountsTable(found)), ...found.fastest.map(fastestSentence)].join("\n"),
  );
}
