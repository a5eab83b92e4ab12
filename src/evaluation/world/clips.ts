import { possibleMethods } from "../methods/asked-methods.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import type { MethodName } from "../methods/method-names.ts";
import { METHODS } from "../methods/methods.ts";
import type { EvaluationOptions } from "../methods/options.ts";
import { comparisonsWith, type Comparison } from "../statistics/paired.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "../statistics/summary.ts";
import {
  placeScorer,
  placesOf,
  scoredPlaces,
  type PlaceContext,
  type PlaceOptions,
  type ScorePlace,
} from "./scored-place.ts";

/** Who watches the clips, and what scores them. */
export interface ClipsContext extends PlaceContext {
  /** Ways to score that work side by side, by `placeOptions`; default: one after the other in this process. */
  readonly scorers?: readonly ScorePlace[] | undefined;
}

/** Summaries by method, in the order of `METHODS`. */
export type MethodSummaries = Readonly<Partial<Record<MethodName, TaskSummary>>>;

/** What came of all clips. */
export interface ClipsReport {
  readonly methods: MethodSummaries;
  /** The aligned editor beside every other, on the same clips. */
  readonly comparisons: readonly Comparison[];
}

/** Frames that `evaluateClips` sends through a denoiser. */
export function clipsCost(model: EvaluatedModel, options: EvaluationOptions): number {
  const { tasks, count, frames, draw } = options;
  return possibleMethods(model, options)
    .map((name) => tasks.length * count * METHODS[name].cost(frames, model.window, draw.steps))
    .reduce((sum, cost) => sum + cost, 0);
}

/** The options of a single number of steps as those of several. */
export function placeOptions(options: EvaluationOptions): PlaceOptions {
  return { ...options, stepCounts: [options.draw.steps] };
}

/** Edits every clip by every method and scores it. */
export async function evaluateClips(
  model: EvaluatedModel,
  options: EvaluationOptions,
  context: ClipsContext = {},
): Promise<ClipsReport> {
  const { scorers = [placeScorer(model, placeOptions(options))] } = context;
  const scored = await scoredPlaces(placesOf(options), scorers, context);
  const scoresOf = (name: MethodName): TaskScores[] =>
    scored.filter(({ method }) => method === name);
  const names = possibleMethods(model, options);
  return {
    methods: Object.fromEntries(names.map((name) => [name, summarizeTasks(scoresOf(name))])),
    comparisons: names
      .filter((name) => METHODS[name].needs === "alignment")
      .flatMap((name) =>
        comparisonsWith(name, names, (of) =>
          scoresOf(of).map(({ task, scores }) => ({ task, ...scores })),
        ),
      ),
  };
}
