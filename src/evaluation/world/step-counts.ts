import { possibleMethods } from "../methods/asked-methods.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import type { MethodName } from "../methods/method-names.ts";
import { METHODS } from "../methods/methods.ts";
import { mean, type Estimated } from "../statistics/bootstrap.ts";
import { compared, type PairedScores } from "../statistics/paired.ts";
import { summarizeTasks, type TaskSummary } from "../statistics/summary.ts";
import type { ClipsContext } from "./clips.ts";
import { placeScorer, placesOf, scoredPlaces } from "./scored-place.ts";
import type { KeptScores, PlaceOptions } from "./scored-place.ts";

/** Share of the most successes over all step counts that a faster one may lose. */
export const LOST_SHARE = 0.02;

/** All clips edited by one method in so many steps. */
export interface StepCountRow {
  readonly method: MethodName;
  readonly steps: number;
  readonly summary: TaskSummary;
  /** Success minus that of the method's best step count, clip by clip; of the best itself without an interval. */
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
export function stepCountsCost(model: EvaluatedModel, options: PlaceOptions): number {
  const { tasks, count, frames, stepCounts } = options;
  const costs = possibleMethods(model, options).flatMap((name) =>
    stepCounts.map((steps) => METHODS[name].cost(frames, model.window, steps)),
  );
  return tasks.length * count * costs.reduce((sum, cost) => sum + cost, 0);
}

/** Edits every clip by every method in every number of steps. */
export async function evaluateStepCounts(
  model: EvaluatedModel,
  options: PlaceOptions,
  context: ClipsContext = {},
): Promise<StepCountReport> {
  const { scorers = [placeScorer(model, options)] } = context;
  const scored = await scoredPlaces(placesOf(options), scorers, context);
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

/** The clips of one step count, in the same order for each. */
export interface StepsMeasured {
  readonly steps: number;
  readonly clips: readonly Pick<KeptScores, "task" | "scores" | "seconds">[];
}

function pairedOf({ clips }: StepsMeasured): PairedScores[] {
  return clips.map(({ task, scores }) => ({ task, ...scores }));
}

/** Compares one method's step counts, the lowest first. */
export function stepCountsOf(
  method: MethodName,
  measured: readonly StepsMeasured[],
): { rows: StepCountRow[]; fastest: FastestSteps } {
  const success = ({ clips }: StepsMeasured): number =>
    clips.filter(({ scores }) => scores.success).length;
  const best = measured.reduce((most, own) => (success(own) > success(most) ? own : most));
  const rows = measured.map((own) => ({
    method,
    steps: own.steps,
    summary: summarizeTasks(own.clips),
    besideBest:
      own === best ? { mean: 0, interval: null } : compared(pairedOf(own), pairedOf(best)).success,
    secondsPerClip: mean(own.clips.map(({ seconds }) => seconds)),
  }));
  const least = (1 - LOST_SHARE) * success(best);
  const enough = measured.find((own) => success(own) > 0 && success(own) >= least);
  return { rows, fastest: { method, steps: enough?.steps ?? null, best: best.steps } };
}
