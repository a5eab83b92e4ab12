import { sampleEdit, type WorldEdit } from "../../data/world/edits.ts";
import { renderFrame } from "../../data/world/render.ts";
import type { Task } from "../../data/world/tasks.ts";
import type { WindowEditOptions } from "../../editing/windows/window-editor.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { Rng } from "../../engine/random.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { editFrames } from "../methods/methods.ts";
import {
  clipSeed,
  settingsFor,
  type EvaluationContext,
  type EvaluationOptions,
} from "../methods/options.ts";
import { encoded } from "../methods/pictures.ts";
import { clipScores, type ClipScores } from "../scores/clip-scores.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "../statistics/summary.ts";
import { truthFrame } from "./ground-truth.ts";

/** Frames that `evaluateSingleFrames` sends through a denoiser. */
export function singleFramesCost({ tasks, count, draw }: EvaluationOptions): number {
  return tasks.length * count * draw.steps;
}

/** One frame of a clip, edited by itself. */
export interface FrameScored extends TaskScores {
  /** Of the clip. */
  readonly index: number;
  /** Which frame of it, counted from 0. */
  readonly frame: number;
  readonly instruction: string;
}

/** Who watches the frames. */
export interface FramesContext extends EvaluationContext {
  readonly onFrame?: ((frame: FrameScored) => void) | undefined;
}

/** How well the edit adapter edits single frames: one frame of each clip, drawn at random. */
export async function evaluateSingleFrames(
  model: EvaluatedModel,
  options: EvaluationOptions,
  context: FramesContext = {},
): Promise<TaskSummary> {
  const scored: FrameScored[] = [];
  for (let index = 0; index < options.count; index++) {
    for (const task of options.tasks) {
      const frame = await evaluateFrame(model, task, index, { options, context });
      context.onFrame?.(frame);
      scored.push(frame);
    }
  }
  return summarizeTasks(scored);
}

async function evaluateFrame(
  model: EvaluatedModel,
  task: Task,
  index: number,
  { options, context }: { options: EvaluationOptions; context: EvaluationContext },
): Promise<FrameScored> {
  const seed = clipSeed(options, `single ${task}`, index);
  const frame = Rng.seed(seed).split("frame").integer(options.frames);
  const request = sampleEdit(options.split, index, task);
  const work = { phase: "single frames", detail: `${task} ${index + 1}/${options.count}` };
  const onStep = (step: number, frames: number) => context.onWork?.({ ...work, step, frames });
  const drawing = { signal: context.signal, onStep };
  const scores = await scoredFrame(model, request, { options, seed, frame }, drawing);
  return { task, index, frame, instruction: request.instruction, scores };
}

/** Which frame of a clip is edited, and how. */
export interface FrameOptions {
  readonly options: Pick<EvaluationOptions, "draw" | "isCaptionGiven">;
  readonly seed: number;
  /** Counted from 0. */
  readonly frame: number;
}

/** Edits one frame by itself, and scores it. */
export async function scoredFrame(
  model: EvaluatedModel,
  request: WorldEdit,
  { options, seed, frame }: FrameOptions,
  context: WindowEditOptions = {},
): Promise<ClipScores> {
  const { size } = model;
  using held = new HeldTensors();
  const input = [renderFrame(request.scene, frame, size)];
  const truth = [truthFrame(request, frame, size)];
  const clip = { inputFrames: input, input: held.make(() => encoded(model, input)) };
  const own = { method: "frame-by-frame", noise: "independent", seed } as const;
  const settings = settingsFor(model, request, options, own);
  const output = await editFrames(model, clip, settings, context);
  return clipScores({ input, truth, output }, { size, window: 1, reconstruction: [] });
}
