import { toPixels } from "../data/pixels.ts";
import { caption } from "../data/world/language.ts";
import { renderClip } from "../data/world/render.ts";
import { Rng as WorldRng } from "../data/world/rng.ts";
import { sampleScene } from "../data/world/sample.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { ddim, dpmSolver } from "../diffusion/samplers.ts";
import { denoise, type DenoisingOptions } from "../editing/denoising.ts";
import { frameNoise } from "../editing/frame-noise.ts";
import { HeldTensors } from "../engine/held-tensors.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Float } from "../engine/tensor.ts";
import { bootstrapInterval, type Interval, mean } from "./bootstrap.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import { flickerError } from "./flicker.ts";
import { clipSeed, type EvaluationContext, type EvaluationOptions } from "./options.ts";
import { decoded, encoded } from "./pictures.ts";
import { unitRange } from "./unit-range.ts";

/** Flicker error of generated clips, over scenes. */
export interface FlickerFigure {
  readonly flicker: number | null;
  /** 95 % bootstrap interval. */
  readonly interval: Interval | null;
}

/** How steadily the video adapter draws, given the true first frame and the caption of unedited scenes. */
export interface VideoFlicker {
  readonly scenes: number;
  /** Length of the generated clips: one window. */
  readonly frames: number;
  /** The video teacher. */
  readonly adapter: FlickerFigure;
  /** The backbone alone, each frame from the caption and noise of its own. */
  readonly independent: FlickerFigure;
  /** The first frame, repeated: no flicker, and no motion either. */
  readonly still: FlickerFigure;
  /** The true clip through the autoencoder: the least that latents allow. */
  readonly reconstruction: FlickerFigure;
  /** `adapter` by `independent`; the target is at most 0.5. */
  readonly ratio: number | null;
}

const CLIPS = ["adapter", "independent", "still", "reconstruction"] as const;
type ClipName = (typeof CLIPS)[number];

/** Length of the generated clips: what the video adapter sees at once. */
function windowFrames(model: EvaluatedModel, { frames }: EvaluationOptions): number {
  return Math.min(model.window, frames);
}

/** Frames that `evaluateVideo` sends through a denoiser. */
export function videoCost(model: EvaluatedModel, options: EvaluationOptions): number {
  return 2 * options.count * windowFrames(model, options) * options.draw.steps;
}

/** Generates clips of unedited scenes and compares their changes over time with the true ones. */
export async function evaluateVideo(
  model: EvaluatedModel,
  options: EvaluationOptions,
  { signal, onWork }: EvaluationContext = {},
): Promise<VideoFlicker> {
  const errors: Record<ClipName, number[]> = {
    adapter: [],
    independent: [],
    still: [],
    reconstruction: [],
  };
  const frames = windowFrames(model, options);
  for (let index = 0; index < options.count; index++) {
    const work = { phase: "video adapter", detail: `scene ${index + 1}/${options.count}` };
    const onStep = (step: number) => onWork?.({ ...work, step, frames });
    const found = await sceneErrors(model, index, options, { signal, onStep });
    for (const name of CLIPS) errors[name].push(found[name]);
  }
  const figure = (name: ClipName): FlickerFigure => ({
    flicker: mean(errors[name]),
    interval: bootstrapInterval(errors[name]),
  });
  const [adapter, independent] = [figure("adapter"), figure("independent")];
  return {
    scenes: options.count,
    frames,
    adapter,
    independent,
    still: figure("still"),
    reconstruction: figure("reconstruction"),
    ratio:
      adapter.flicker === null || !independent.flicker
        ? null
        : adapter.flicker / independent.flicker,
  };
}

async function sceneErrors(
  model: EvaluatedModel,
  index: number,
  options: EvaluationOptions,
  denoising: DenoisingOptions,
): Promise<Record<ClipName, number>> {
  const { split } = options;
  using held = new HeldTensors();
  const scene = sampleScene(split, index);
  const words = caption(scene, new WorldRng("evaluation-caption", split, index), split);
  const truth = renderClip(scene, windowFrames(model, options), model.size);
  const latents = held.make(() => encoded(model, truth));
  const first = held.make(() => latents.narrow(0, 0, 1));
  const draw = async (denoiser: Denoiser<unknown>, condition: () => unknown) =>
    decoded(model, await drawn(model, { denoiser, condition, index, options }, held, denoising));
  const adapter = await draw(model.videoTeacher(), () => model.videoCondition(words, first));
  const independent = await draw(model.backbone(), () => model.captionCondition(words));
  const still = truth.map(() => truth[0]!);
  const clips = { adapter, independent, still, reconstruction: decoded(model, latents) };
  return changeErrors(clips, truth, model.size);
}

interface Subject {
  readonly denoiser: Denoiser<unknown>;
  readonly condition: () => unknown;
  readonly index: number;
  readonly options: EvaluationOptions;
}

/** Latents of one window, from noise of the frames' own, all of it if nothing else is asked for. */
function drawn(
  model: EvaluatedModel,
  { denoiser, condition, index, options }: Subject,
  held: HeldTensors,
  denoising: DenoisingOptions,
): Promise<Float<"f c h w">> {
  const { schedule } = model;
  const { steps, sampler, temperature } = options.draw;
  const count = windowFrames(model, options);
  const shape = model.latentShape(1).slice(1);
  const seed = clipSeed(options, "video", index);
  const noise = held.make(() =>
    frameNoise(0, count, { seed, mode: "independent", temperature, shape }),
  );
  const prepared = held.make(condition);
  const solve = sampler === "dpm-solver" ? dpmSolver : ddim;
  return denoise(solve(denoiser, noise, prepared, { schedule, steps }), held, denoising);
}

function changeErrors(
  clips: Readonly<Record<ClipName, readonly Uint8Array[]>>,
  truth: readonly Uint8Array[],
  size: number,
): Record<ClipName, number> {
  using _ = tensorScope();
  const right = unitRange(toPixels(truth, size, size));
  const error = (name: ClipName): number =>
    flickerError(unitRange(toPixels(clips[name], size, size)), right);
  return {
    adapter: error("adapter"),
    independent: error("independent"),
    still: error("still"),
    reconstruction: error("reconstruction"),
  };
}
