import { setImmediate } from "node:timers/promises";
import type { TimeBlock } from "../../data/image/time-sheet.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { possibleMethods } from "../methods/asked-methods.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { plainName, type MethodName } from "../methods/method-names.ts";
import { METHODS } from "../methods/methods.ts";
import type { EvaluationContext, EvaluationOptions } from "../methods/options.ts";
import { makeTestClip, scoredClip, type ClipPlace } from "./test-clip.ts";

/** Which clips are shown, how they are edited, and by what. */
export interface ClipSheetOptions extends Omit<EvaluationOptions, "tasks" | "count"> {
  readonly clips: readonly ClipPlace[];
  /** Most frames of a clip that are shown, evenly over its length. */
  readonly columns: number;
}

/** Frames that `clipSheet` sends through a denoiser. */
export function clipSheetCost(model: EvaluatedModel, options: ClipSheetOptions): number {
  const { clips, frames, draw } = options;
  const costs = possibleMethods(model, options).map((name) =>
    METHODS[name].cost(frames, model.window, draw.steps),
  );
  return clips.length * costs.reduce((sum, cost) => sum + cost, 0);
}

/** Clips over time under their instructions: the input, each method's edit in the order of `methods`, and the truth. */
export async function clipSheet(
  model: EvaluatedModel,
  options: ClipSheetOptions,
  context: EvaluationContext = {},
): Promise<TimeBlock[]> {
  const blocks: TimeBlock[] = [];
  for (const place of options.clips) blocks.push(await clipBlock(model, place, options, context));
  return blocks;
}

async function clipBlock(
  model: EvaluatedModel,
  place: ClipPlace,
  options: ClipSheetOptions,
  { signal, onWork }: EvaluationContext,
): Promise<TimeBlock> {
  using held = new HeldTensors();
  const clip = makeTestClip(model, place, options, held);
  const shown = shownFrames(options);
  const row = (label: string, frames: readonly Uint8Array[]): TimeBlock["rows"][number] => ({
    label,
    images: shown.map((frame) => ({ rgb: frames[frame]!, width: model.size, height: model.size })),
  });
  const rows = [row("input", clip.inputFrames)];
  for (const method of possibleMethods(model, options)) {
    const detail = `${method} · ${place.task} ${place.index}`;
    const onStep = (step: number, frames: number) =>
      onWork?.({ phase: "editing", detail, step, frames });
    const { output } = await scoredClip(clip, method, { signal, onStep });
    rows.push(row(titleOf(method), output));
    await setImmediate();
    signal?.throwIfAborted();
  }
  rows.push(row("truth", clip.truthFrames));
  return {
    title: `"${clip.request.instruction}"`,
    columns: shown.map((frame) => `frame ${frame}`),
    rows,
  };
}

/** The first frame and others at equal distances. */
function shownFrames({ frames, columns }: Pick<ClipSheetOptions, "frames" | "columns">): number[] {
  const stride = Math.ceil(frames / columns);
  return Array.from({ length: Math.ceil(frames / stride) }, (_, column) => column * stride);
}

/** The method in words; the noise is the same for a whole sheet. */
function titleOf(method: MethodName): string {
  return plainName(method).replaceAll("-", " ");
}
