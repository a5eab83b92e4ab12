import { setImmediate } from "node:timers/promises";
import { HeldTensors } from "../engine/held-tensors.ts";
import { mean } from "./bootstrap.ts";
import { possibleMethods } from "./clips.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import type { MethodName } from "./method-names.ts";
import { METHODS } from "./methods.ts";
import type { DrawSettings, EvaluationContext, EvaluationOptions } from "./options.ts";
import { compared, type Estimated } from "./paired.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "./summary.ts";
import { makeTestClip, scoredClip, type ClipPlace, type ClipScored } from "./test-clip.ts";

/** Share of the most successes over all step counts that a faster one may lose. */
export const LOST_SHARE = 0.02;

/** What is measured with each of `stepCounts`; everything else is alike. */
export interface StepCountOptions extends Omit<EvaluationOptions, "draw"> {
  readonly draw: Omit<DrawSettings, "steps">;
  /** Rising. */
  readonly stepCounts: readonly number[];
}

/** One method's edit of one clip in so many steps. */
export interface StepsScored extends ClipScored {
  readonly steps: number;
}

/** Who watches. */
export interface StepCountContext extends EvaluationContext {
  readonly onClip?: ((clip: StepsScored) => void) | undefined;
}

/** All clips edited by one method in so many steps. */
export interface StepCountRow {
  readonly method: MethodName;
  readonly steps: number;
  readonly summary: TaskSummary;
  /** Success minus that of the method's best step count, clip by clip. */
  readonly besideBest: Estimated;
  readonly secondsPerClip: number | null;
}

/** The fewest steps that lose no more than `LOST_SHARE` of the most successes; null where no edit succeeds at all. */
export interface FastestSteps {
  readonly method: MethodName;
  readonly steps: number | null;
  /** The step count with the most successes; the lowest of equals. */
  readonly best: number;
}

/** What came of all step counts. */
export interface StepCountReport {
  readonly rows: readonly StepCountRow[];
  readonly fastest: readonly FastestSteps[];
}

/** Frames that `evaluateStepCounts` sends through a denoiser. */
export function stepCountsCost(model: EvaluatedModel, options: StepCountOptions): number {
  const { tasks, count, frames, stepCounts } = options;
  const costs = possibleMethods(model, options).flatMap((name) =>
    stepCounts.map((steps) => METHODS[name].cost(frames, model.window, steps)),
  );
  return tasks.length * count * costs.reduce((sum, cost) => sum + cost, 0);
}

/**
 * Edits every clip by every method in every number of steps.
 *
 * A clip and its truth are drawn and encoded once; its noise depends on (seed, task, index) alone. So step counts are
 * compared on the same clips, with the same noise.
 */
export async function evaluateStepCounts(
  model: EvaluatedModel,
  options: StepCountOptions,
  context: StepCountContext = {},
): Promise<StepCountReport> {
  const scored: Scored[] = [];
  for (let index = 0; index < options.count; index++)
    for (const task of options.tasks)
      scored.push(...(await scoredPlace(model, { task, index }, { options, context })));
  const methods = possibleMethods(model, options).map((method) =>
    stepCountsOf(
      method,
      options.stepCounts.map((steps) => ({
        steps,
        clips: scored.filter((clip) => clip.method === method && clip.steps === steps),
      })),
    ),
  );
  return {
    rows: methods.flatMap(({ rows }) => rows),
    fastest: methods.map(({ fastest }) => fastest),
  };
}

/** What is kept of a clip: its frames are not. */
type Scored = TaskScores & Pick<StepsScored, "method" | "steps" | "seconds">;

async function scoredPlace(
  model: EvaluatedModel,
  place: ClipPlace,
  { options, context }: { options: StepCountOptions; context: StepCountContext },
): Promise<Scored[]> {
  using held = new HeldTensors();
  const drawn = (steps: number) => ({ ...options, draw: { ...options.draw, steps } });
  const clip = makeTestClip(model, place, drawn(options.stepCounts[0] ?? 1), held);
  const results: Scored[] = [];
  for (const method of possibleMethods(model, options)) {
    for (const steps of options.stepCounts) {
      const work = {
        phase: "whole clips",
        detail: `${method} in ${steps} steps · ${place.task} ${place.index + 1}/${options.count}`,
      };
      const onStep = (step: number, frames: number) => context.onWork?.({ ...work, step, frames });
      const own = { ...clip, options: drawn(steps) };
      const found = await scoredClip(own, method, { signal: context.signal, onStep });
      context.onClip?.({ ...found, steps });
      const { task, scores, seconds } = found;
      results.push({ method, steps, task, scores, seconds });
      await setImmediate();
      context.signal?.throwIfAborted();
    }
  }
  return results;
}

/** The clips of one step count, in the same order for each. */
export interface StepsMeasured {
  readonly steps: number;
  readonly clips: readonly (TaskScores & Pick<StepsScored, "seconds">)[];
}

/** Compares one method's step counts, the lowest first. */
export function stepCountsOf(
  method: MethodName,
  measured: readonly StepsMeasured[],
): { rows: StepCountRow[]; fastest: FastestSteps } {
  const success = ({ clips }: StepsMeasured): number =>
    clips.filter(({ scores }) => scores.success).length;
  const best = measured.reduce((most, own) => (success(own) > success(most) ? own : most));
  const rows = measured.map(({ steps, clips }) => ({
    method,
    steps,
    summary: summarizeTasks(clips),
    besideBest: compared(clips, best.clips).success,
    secondsPerClip: mean(clips.map(({ seconds }) => seconds)),
  }));
  const least = (1 - LOST_SHARE) * success(best);
  const enough = measured.find((own) => success(own) > 0 && success(own) >= least);
  return { rows, fastest: { method, steps: enough?.steps ?? null, best: best.steps } };
}
