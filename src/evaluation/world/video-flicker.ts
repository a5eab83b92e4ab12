import { toPixels, unitRange } from "../../data/pixels.ts";
import { caption } from "../../data/world/language.ts";
import { renderClip } from "../../data/world/render.ts";
import { WorldRng } from "../../data/world/rng.ts";
import { sampleScene } from "../../data/world/sample.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { NoiseMode } from "../../editing/settings/settings.ts";
import { denoise, type DenoisingOptions } from "../../editing/windows/denoising.ts";
import { solverOf } from "../../editing/windows/edit-sampling.ts";
import { frameNoise } from "../../editing/windows/frame-noise.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { clipSeed, type EvaluationContext, type EvaluationOptions } from "../methods/options.ts";
import { decoded, encoded } from "../methods/pictures.ts";
import { flickerError } from "../scores/flicker.ts";
import { bootstrapInterval, type Interval, mean } from "../statistics/bootstrap.ts";

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
  /** The video teacher from one noise that all frames share; the backbone would draw one picture from it, which is `still`. */
  readonly sharedAdapter: FlickerFigure;
}

type ClipName = "adapter" | "independent" | "sharedAdapter" | "still" | "reconstruction";

/** Length of the generated clips: what the video adapter sees at once. */
function windowFrames(model: EvaluatedModel, { frames }: EvaluationOptions): number {
  return Math.min(model.window, frames);
}

/** Frames that `evaluateVideo` sends through a denoiser. */
export function videoCost(model: EvaluatedModel, options: EvaluationOptions): number {
  return 3 * options.count * windowFrames(model, options) * options.draw.steps;
}

/** Generates clips of unedited scenes and compares their changes over time with the true ones. */
export async function evaluateVideo(
  model: EvaluatedModel,
  options: EvaluationOptions,
  { signal, onWork }: EvaluationContext = {},
): Promise<VideoFlicker> {
  const scenes: Record<ClipName, number>[] = [];
  const frames = windowFrames(model, options);
  for (let index = 0; index < options.count; index++) {
    const work = { phase: "video adapter", detail: `scene ${index + 1}/${options.count}` };
    const onStep = (step: number) => onWork?.({ ...work, step, frames });
    scenes.push(await sceneErrors(model, index, options, { signal, onStep }));
  }
  const figure = (name: ClipName): FlickerFigure => {
    const errors = scenes.map((scene) => scene[name]);
    return { flicker: mean(errors), interval: bootstrapInterval(errors) };
  };
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
    sharedAdapter: figure("sharedAdapter"),
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
  const teacher = model.videoTeacher();
  const given = () => model.videoCondition(words, first);
  const draw = async (
    denoiser: Denoiser<unknown>,
    condition: () => unknown,
    mode: NoiseMode,
  ): Promise<Uint8Array[]> => {
    const subject = { denoiser, condition, mode, index, options };
    return decoded(model, await drawn(model, subject, held, denoising));
  };
  const clips = {
    adapter: await draw(teacher, given, "independent"),
    independent: await draw(model.backbone(), () => model.captionCondition(words), "independent"),
    sharedAdapter: await draw(teacher, given, "shared"),
    still: truth.map(() => truth[0]!),
    reconstruction: decoded(model, latents),
  };
  return changeErrors(clips, truth, model.size);
}

interface Subject {
  readonly denoiser: Denoiser<unknown>;
  readonly condition: () => unknown;
  readonly mode: NoiseMode;
  readonly index: number;
  readonly options: EvaluationOptions;
}

/** Latents of one window, from all of the noise if nothing else is asked for. */
function drawn(
  model: EvaluatedModel,
  { denoiser, condition, mode, index, options }: Subject,
  held: HeldTensors,
  denoising: DenoisingOptions,
): Promise<Float<"f c h w">> {
  const { schedule } = model;
  const { steps, sampler, temperature } = options.draw;
  const count = windowFrames(model, options);
  const shape = model.latentShape(1).slice(1);
  const seed = clipSeed(options, "video", index);
  const noise = held.make(() => frameNoise(0, count, { seed, mode, temperature, shape }));
  const prepared = held.make(condition);
  return denoise(
    solverOf(sampler)(denoiser, noise, prepared, { schedule, steps }),
    held,
    denoising,
  );
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
    sharedAdapter: error("sharedAdapter"),
  };
}
