import { setImmediate } from "node:timers/promises";
import { sampleEdit } from "../data/world/edits.ts";
import { renderClip } from "../data/world/render.ts";
import type { Task } from "../data/world/tasks.ts";
import { HeldTensors } from "../editing/held-tensors.ts";
import { clipScores, type ClipScores } from "./clip-scores.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import { truthClip } from "./ground-truth.ts";
import type { MethodName } from "./method-names.ts";
import { hasPart, METHODS } from "./methods.ts";
import { clipSeed, type EvaluationContext, type EvaluationOptions } from "./options.ts";
import { decoded, encoded } from "./pictures.ts";
import { comparisonsWith, type Comparison } from "./paired.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "./summary.ts";

/** One method's edit of one clip, with its scores and its frames (RGB bytes). */
export interface ClipScored {
  readonly task: Task;
  readonly index: number;
  readonly method: MethodName;
  readonly instruction: string;
  readonly scores: ClipScores;
  readonly input: readonly Uint8Array[];
  readonly truth: readonly Uint8Array[];
  readonly output: readonly Uint8Array[];
}

/** Who watches the clips. */
export interface ClipsContext extends EvaluationContext {
  readonly onClip?: ((clip: ClipScored) => void) | undefined;
}

/** Summaries by method, in the order of `METHODS`. */
export type MethodSummaries = Readonly<Partial<Record<MethodName, TaskSummary>>>;

/** The methods of `options` that `model` has the parts for. */
export function possibleMethods(
  model: Pick<EvaluatedModel, "hasVideoAdapter" | "hasAlignment">,
  { methods }: Pick<EvaluationOptions, "methods">,
): MethodName[] {
  return methods.filter((name) => hasPart(model, METHODS[name].needs));
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
): Promise<Pick<ClipScored, "method" | "scores">[]> {
  const { size } = model;
  using held = new HeldTensors();
  const request = sampleEdit(options.split, index, task);
  const inputFrames = renderClip(request.scene, options.frames, size);
  const truthFrames = truthClip(request, options.frames, size);
  const input = held.make(() => encoded(model, inputFrames));
  const truth = held.make(() => encoded(model, truthFrames));
  const reconstruction = decoded(model, truth);
  const seed = clipSeed(options, task, index);
  const clip = { model, request, options, seed, inputFrames, input, reconstruction };
  const results: Pick<ClipScored, "method" | "scores">[] = [];
  for (const method of possibleMethods(model, options)) {
    const work = {
      phase: "whole clips",
      detail: `${method} · ${task} ${index + 1}/${options.count}`,
    };
    const onStep = (step: number, frames: number) => context.onWork?.({ ...work, step, frames });
    const output = await METHODS[method].edit(clip, { signal: context.signal, onStep });
    const frames = { input: inputFrames, truth: truthFrames, output };
    const scores = clipScores(frames, { size, window: model.window, reconstruction });
    context.onClip?.({ task, index, method, instruction: request.instruction, scores, ...frames });
    results.push({ method, scores });
    await setImmediate();
    context.signal?.throwIfAborted();
  }
  return results;
}
