import { sampleEdit } from "../../data/world/edits.ts";
import { renderClip } from "../../data/world/render.ts";
import type { Task } from "../../data/world/tasks.ts";
import type { WindowEditOptions } from "../../editing/windows/window-editor.ts";
import type { HeldTensors } from "../../engine/held-tensors.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import type { MethodName } from "../methods/method-names.ts";
import { METHODS, type MethodInput } from "../methods/methods.ts";
import { clipSeed, type EvaluationOptions } from "../methods/options.ts";
import { decoded, encoded } from "../methods/pictures.ts";
import { clipScores, type ClipScores } from "../scores/clip-scores.ts";
import { truthClip } from "./ground-truth.ts";

/** Which edit of the world's. */
export interface ClipPlace {
  readonly task: Task;
  readonly index: number;
}

/** One edit of the world, made once for everything that is measured on it: what methods get, and what is right. */
export interface TestClip extends MethodInput, ClipPlace {
  /** RGB bytes of each frame of the edited video itself. */
  readonly truthFrames: readonly Uint8Array[];
}

/** One method's edit of one clip, with its scores and its frames (RGB bytes). */
export interface ClipScored extends ClipPlace {
  readonly method: MethodName;
  readonly instruction: string;
  readonly scores: ClipScores;
  readonly input: readonly Uint8Array[];
  readonly truth: readonly Uint8Array[];
  readonly output: readonly Uint8Array[];
  /** What the edit took on this machine, from latents to frames. */
  readonly seconds: number;
}

/** Draws a clip and its truth, and encodes both; `held` owns the tensors. */
export function makeTestClip(
  model: EvaluatedModel,
  { task, index }: ClipPlace,
  options: Pick<EvaluationOptions, "split" | "frames" | "seed" | "draw" | "isCaptionGiven">,
  held: HeldTensors,
): TestClip {
  const { size } = model;
  const request = sampleEdit(options.split, index, task);
  const inputFrames = renderClip(request.scene, options.frames, size);
  const truthFrames = truthClip(request, options.frames, size);
  const input = held.make(() => encoded(model, inputFrames));
  const truth = held.make(() => encoded(model, truthFrames));
  const reconstruction = decoded(model, truth);
  const seed = clipSeed(options, task, index);
  const frames = { inputFrames, truthFrames, input, reconstruction };
  return { model, task, index, request, options, seed, ...frames };
}

/** Edits a clip by one method, and scores what came of it. */
export async function scoredClip(
  clip: TestClip,
  method: MethodName,
  context: WindowEditOptions,
): Promise<ClipScored> {
  const { model, task, index, request, reconstruction } = clip;
  const startedAt = performance.now();
  const output = await METHODS[method].edit(clip, context);
  const seconds = (performance.now() - startedAt) / 1000;
  const frames = { input: clip.inputFrames, truth: clip.truthFrames, output };
  const { size, window } = model;
  const scores = clipScores(frames, { size, window, reconstruction });
  const { instruction } = request;
  return { task, index, method, instruction, scores, seconds, ...frames };
}
