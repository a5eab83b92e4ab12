import { setImmediate } from "node:timers/promises";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { possibleMethods } from "../methods/asked-methods.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import type { MethodName } from "../methods/method-names.ts";
import type { DrawSettings, EvaluationContext, EvaluationOptions } from "../methods/options.ts";
import type { TaskScores } from "../statistics/summary.ts";
import { makeTestClip, scoredClip, type ClipPlace, type ClipScored } from "./test-clip.ts";

/** How clips are edited: by each method in each number of steps; everything else is alike. Plain data. */
export interface PlaceOptions extends Omit<EvaluationOptions, "draw"> {
  readonly draw: Omit<DrawSettings, "steps">;
  /** Rising. */
  readonly stepCounts: readonly number[];
}

/** One method's edit of one clip in so many steps. */
export interface StepsScored extends ClipScored {
  readonly steps: number;
}

/** What is kept of it: its frames are not. */
export type KeptScores = TaskScores & Pick<StepsScored, "method" | "steps" | "seconds">;

/** Who watches. */
export interface PlaceContext extends EvaluationContext {
  readonly onClip?: ((clip: StepsScored) => void) | undefined;
}

/** Edits one clip in every way asked for, and scores what came of it. */
export type ScorePlace = (
  place: ClipPlace,
  context: PlaceContext,
) => PromiseLike<readonly KeptScores[]>;

/** The clips of all tasks, taking turns. */
export function placesOf({ tasks, count }: Pick<PlaceOptions, "tasks" | "count">): ClipPlace[] {
  return Array.from({ length: count }, (_, index) => tasks.map((task) => ({ task, index }))).flat();
}

/** Scores every place; as many at a time as there are `scorers`. The results stand in the order of the places. */
export async function scoredPlaces(
  places: readonly ClipPlace[],
  scorers: readonly ScorePlace[],
  context: PlaceContext,
): Promise<KeptScores[]> {
  const results: (readonly KeptScores[])[] = [];
  const queue = places.entries();
  const drain = async (score: ScorePlace): Promise<void> => {
    for (const [place, which] of queue) results[place] = await score(which, context);
  };
  await Promise.all(scorers.map(drain));
  return results.flat();
}

/**
 * Scores places here, in this process.
 *
 * A clip and its truth are drawn and encoded once; its noise depends on (seed, task, index) alone. So ways to edit are
 * compared on the same clips, with the same noise, wherever and in whatever order they are edited.
 */
export function placeScorer(model: EvaluatedModel, options: PlaceOptions): ScorePlace {
  const { stepCounts } = options;
  const drawn = (steps: number) => ({ ...options, draw: { ...options.draw, steps } });
  return async (place, { signal, onWork, onClip }) => {
    using held = new HeldTensors();
    const clip = makeTestClip(model, place, drawn(stepCounts[0] ?? 1), held);
    const results: KeptScores[] = [];
    const edited = async (method: MethodName, steps: number): Promise<void> => {
      const how = stepCounts.length > 1 ? `${method} in ${steps} steps` : method;
      const detail = `${how} · ${place.task} ${place.index + 1}/${options.count}`;
      const onStep = (step: number, frames: number) =>
        onWork?.({ phase: "whole clips", detail, step, frames });
      const found = await scoredClip({ ...clip, options: drawn(steps) }, method, {
        signal,
        onStep,
      });
      onClip?.({ ...found, steps });
      const { task, scores, seconds } = found;
      results.push({ method, steps, task, scores, seconds });
      await setImmediate();
      signal?.throwIfAborted();
    };
    for (const method of possibleMethods(model, options))
      for (const steps of stepCounts) await edited(method, steps);
    return results;
  };
}
