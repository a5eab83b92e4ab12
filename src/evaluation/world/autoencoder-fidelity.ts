import { setImmediate } from "node:timers/promises";
import { toPixels, unitRange } from "../../data/pixels.ts";
import { framePsnrs } from "../../data/psnr.ts";
import { renderFrame } from "../../data/world/render.ts";
import { sampleScene } from "../../data/world/sample.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { clipSeed, type EvaluationContext, type EvaluationOptions } from "../methods/options.ts";
import { decoded, encoded } from "../methods/pictures.ts";
import { bootstrapInterval, type Interval, mean } from "../statistics/bootstrap.ts";

/** How much of a picture the latents keep. */
export interface AutoencoderFidelity {
  readonly frames: number;
  /** Mean over frames of each frame's PSNR, in dB. */
  readonly psnr: number | null;
  /** 95 % bootstrap interval. */
  readonly interval: Interval | null;
}

/** Scenes measured for each clip of a task: a round trip is cheap. */
const SCENES_PER_CLIP = 10;

/** PSNR after a round trip through the autoencoder, on one frame of each of `10 · count` unedited scenes. */
export async function evaluateAutoencoder(
  model: EvaluatedModel,
  options: EvaluationOptions,
  { signal, onWork }: EvaluationContext = {},
): Promise<AutoencoderFidelity> {
  const ratios: number[] = [];
  for (let batch = 0; batch < options.count; batch++) {
    const pictures = Array.from({ length: SCENES_PER_CLIP }, (_, position) =>
      scenePicture(batch * SCENES_PER_CLIP + position, model, options),
    );
    ratios.push(...roundTripPsnrs(model, pictures));
    onWork?.({
      phase: "autoencoder",
      detail: `${ratios.length} frames`,
      step: batch + 1,
      frames: 0,
    });
    await setImmediate();
    signal?.throwIfAborted();
  }
  return { frames: ratios.length, psnr: mean(ratios), interval: bootstrapInterval(ratios) };
}

function scenePicture(
  index: number,
  { size }: EvaluatedModel,
  options: EvaluationOptions,
): Uint8Array {
  const frame = Rng.seed(clipSeed(options, "autoencoder", index)).integer(options.frames);
  return renderFrame(sampleScene(options.split, index), frame, size);
}

function roundTripPsnrs(model: EvaluatedModel, pictures: readonly Uint8Array[]): number[] {
  using _ = tensorScope();
  const { size } = model;
  const output = decoded(model, encoded(model, pictures));
  const [after, before] = [output, pictures].map((frames) =>
    unitRange(toPixels(frames, size, size)),
  );
  return framePsnrs(after!, before!);
}
