import { setImmediate } from "node:timers/promises";
import type { Task } from "../data/world/tasks.ts";
import { temperatureFor } from "../editing/settings.ts";
import { HeldTensors } from "../engine/held-tensors.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import type { MethodName } from "./method-names.ts";
import { hasPart, METHODS } from "./methods.ts";
import type { DrawSettings, EvaluationContext, EvaluationOptions } from "./options.ts";
import { comparisonsWith, type Comparison } from "./paired.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "./summary.ts";
import { makeTestClip, scoredClip, type ClipScored } from "./test-clip.ts";

/** Who watches the clips. */
export interface ClipsContext extends EvaluationContext {
  readonly onClip?: ((clip: ClipScored) => void) | undefined;
}

/** The methods asked for, and how much noise they are to draw. */
export type AskedMethods = Pick<EvaluationOptions, "methods"> & {
  readonly draw: Pick<DrawSettings, "temperature">;
};

/** How the names of methods that draw one noise for all frames end. */
const SHARED = "-shared";

/** Summaries by method, in the order of `METHODS`. */
export type MethodSummaries = Readonly<Partial<Record<MethodName, TaskSummary>>>;

/** The methods of `options` that `model` has the parts for, each edit once. */
export function possibleMethods(
  model: Pick<EvaluatedModel, "hasVideoAdapter" | "hasAlignment" | "defaults">,
  options: AskedMethods,
): MethodName[] {
  const twins = new Set(twinsWithoutNoise(model, options));
  return options.methods.filter((name) => hasPart(model, METHODS[name].needs) && !twins.has(name));
}

/** The methods that draw one noise for all frames, beside those that draw each frame's own, where none is drawn at all. */
export function twinsWithoutNoise(
  model: Pick<EvaluatedModel, "defaults">,
  { methods, draw }: AskedMethods,
): MethodName[] {
  if (temperatureFor({ temperature: draw.temperature }, model) > 0) return [];
  const asked = new Set<string>(methods);
  return methods.filter(
    (name) => name.endsWith(SHARED) && asked.has(name.slice(0, -SHARED.length)),
  );
}

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

/** Edits every clip by every method and scores it; the clips of all tasks take turns. */
export async function evaluateClips(
  model: EvaluatedModel,
  options: EvaluationOptions,
  context: ClipsContext = {},
): Promise<ClipsReport> {
  const scored: ({ readonly method: MethodName } & TaskScores)[] = [];
  for (let index = 0; index < options.count; index++) {
    for (const task of options.tasks) {
      for (const { method, scores } of await evaluateClip(model, task, index, {
        options,
        context,
      })) {
        scored.push({ method, task, scores });
      }
    }
  }
  const scoresOf = (name: MethodName): TaskScores[] =>
    scored.filter(({ method }) => method === name);
  const names = possibleMethods(model, options);
  return {
    methods: Object.fromEntries(names.map((name) => [name, summarizeTasks(scoresOf(name))])),
    comparisons: names
      .filter((name) => METHODS[name].needs === "alignment")
      .flatMap((name) => comparisonsWith(name, names, scoresOf)),
  };
}

/** Edits one clip by every method. */
async function evaluateClip(
  model: EvaluatedModel,
  task: Task,
  index: number,
  { options, context }: { options: EvaluationOptions; context: ClipsContext },
): Promise<ClipScored[]> {
  using held = new HeldTensors();
  const clip = makeTestClip(model, { task, index }, options, held);
  const results: ClipScored[] = [];
  for (const method of possibleMethods(model, options)) {
    const work = {
      phase: "whole clips",
      detail: `${method} · ${task} ${index + 1}/${options.count}`,
    };
    const onStep = (step: number, frames: number) => context.onWork?.({ ...work, step, frames });
    const scored = await scoredClip(clip, method, { signal: context.signal, onStep });
    context.onClip?.(scored);
    results.push(scored);
    await setImmediate();
    context.signal?.throwIfAborted();
  }
  return results;
}
