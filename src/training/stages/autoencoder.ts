import { noGrad } from "../../engine/autodiff.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { unitRange } from "../../data/pixels.ts";
import { psnr } from "../../data/psnr.ts";
import { openFrameCache, type FrameCache } from "../../data/caches/frame-cache.ts";
import { latentStride } from "../../models/vae/config.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Sample, Stage, StageContext } from "../stage.ts";
import { separate } from "./drawings.ts";
import { AutoencoderSettings } from "./settings.ts";

/** Weights of the terms: absolute and squared error per pixel, and the pull towards a unit Gaussian. */
export const AUTOENCODER_LOSSES = { absolute: 1, squared: 2, kl: 2e-5 } as const;

/** `KL(N(mean, e^logvar) ‖ N(0, 1))` per latent element. */
export function klDivergence(mean: Float, logvar: Float): Float<""> {
  return mean.square().add(logvar.exp()).sub(1).sub(logvar).mean().mul(0.5);
}

/** Trains the autoencoder on pictures of the generated world. */
export async function autoencoderStage(
  model: Autoencoder,
  config: TrainConfig,
  { progress }: StageContext,
): Promise<Stage<Pixels<"b 3 h w">>> {
  const settings = AutoencoderSettings.parse(config.stage);
  const { size, pictures, cache: folder } = settings;
  const stride = latentStride(model.config);
  requireSides(settings, stride);
  const report = ({ what, done, total }: { what: string; done: number; total: number }): void =>
    progress(what, done, total);
  const cache = await openFrameCache({ folder, split: "train", count: pictures, size }, report);
  const held = await openFrameCache({ folder, split: "validation", count: 64, size }, report);
  const heldIndices = Array.from({ length: held.count }, (_, index) => index);
  model.setTrainable(true);
  return {
    name: "autoencoder",
    dataset: `generated world, ${pictures} pictures of the train split, ${size}x${size}`,
    trainable: model.parameters(),
    frozen: new Map(),
    lossWeights: AUTOENCODER_LOSSES,
    nextBatch: (step, part) => batchAt(cache, config, settings, { step, part, stride }),
    samplesIn: (step, part) => numbersAt(config, settings, step, part).length,
    losses: (pixels, rng) => autoencoderLosses(model, pixels, rng),
    samples: async () => [reconstructionSheet(model, held, heldIndices.slice(0, 8))],
    validate: () => ({ psnr: noGrad(() => reconstructionPsnr(model, held, heldIndices)) }),
  };
}

/** Throws a ConfigError for pictures and crops that the autoencoder cannot see whole. */
function requireSides({ size, crop }: AutoencoderSettings, stride: number): void {
  if (size % stride !== 0)
    throw new ConfigError(`stage.size: expected a multiple of ${stride} pixels, got ${size}`);
  if (crop > size || crop % stride !== 0)
    throw new ConfigError(
      `stage.crop: expected a multiple of ${stride} pixels up to stage.size (${size}), got ${crop}`,
    );
}

function isWholeAt(
  step: number,
  { steps }: TrainConfig,
  { wholeFrom }: AutoencoderSettings,
): boolean {
  return step >= wholeFrom * steps;
}

/** The running numbers of a part's samples: of whole pictures the first of the step's, as many pixels as of crops. */
function numbersAt(
  config: TrainConfig,
  settings: AutoencoderSettings,
  step: number,
  part: number,
): number[] {
  if (!isWholeAt(step, config, settings)) return sampleNumbers(config, step, part);
  const { batch, accumulate } = config;
  const count = Math.max(1, Math.round((batch * settings.crop ** 2) / settings.size ** 2));
  const first = Math.floor((part * count) / accumulate);
  const end = Math.floor(((part + 1) * count) / accumulate);
  return Array.from({ length: end - first }, (_, i) => step * batch + first + i);
}

function batchAt(
  cache: FrameCache,
  config: TrainConfig,
  settings: AutoencoderSettings,
  { step, part, stride }: { step: number; part: number; stride: number },
): Pixels<"b 3 h w"> {
  const { size, crop } = settings;
  const numbers = numbersAt(config, settings, step, part);
  const rng = Rng.seed(config.seed).split("pictures");
  const indices = numbers.map((number) => rng.split(number).integer(cache.count));
  using _ = tensorScope();
  const whole = cache.pixels(indices);
  if (isWholeAt(step, config, settings)) return keep(whole);
  const places = (size - crop) / stride + 1;
  const crops = numbers.map((number, row) => {
    const place = rng.split("place").split(number);
    const top = stride * place.split(0).integer(places);
    const left = stride * place.split(1).integer(places);
    return whole.narrow(0, row, 1).narrow(2, top, crop).narrow(3, left, crop);
  });
  return keep(Tensor.cat(crops, 0));
}

function autoencoderLosses(model: Autoencoder, pixels: Pixels<"b 3 h w">, rng: Rng): Losses {
  const moments = model.encode(pixels);
  const error = model.decode(model.sample(moments, rng)).sub(pixels);
  return {
    absolute: error.abs().mean(),
    squared: error.square().mean(),
    kl: klDivergence(moments.mean, moments.logvar),
  };
}

function reconstructionPsnr(
  model: Autoencoder,
  pictures: FrameCache,
  indices: readonly number[],
): number {
  return decodedPsnr(model, indices, (index) => {
    const pixels = pictures.pixels([index]);
    return { latents: model.latent(pixels), pixels };
  });
}

/** The mean PSNR of pictures that `model` decodes one by one, within [-1, 1], to those that they should become. */
export function decodedPsnr(
  model: Autoencoder,
  indices: readonly number[],
  itemAt: (index: number) => {
    readonly latents: Float<"1 c h w">;
    readonly pixels: Pixels<"1 3 h w">;
  },
): number {
  return meanPsnr(indices, (index) => {
    const { latents, pixels } = itemAt(index);
    return [model.decode(latents).clamp(-1, 1), pixels];
  });
}

/** The mean PSNR in dB of pictures in [-1, 1], one by one, each beside what it should be; what `pairAt` makes is freed. */
export function meanPsnr(
  indices: readonly number[],
  pairAt: (index: number) => readonly [output: Pixels, right: Pixels],
): number {
  const values = indices.map((index) => {
    using _ = tensorScope();
    const [output, right] = pairAt(index);
    return psnr(unitRange(output), unitRange(right));
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function reconstructionSheet(
  model: Autoencoder,
  pictures: FrameCache,
  indices: readonly number[],
): Sample {
  const pixels = pictures.pixels(indices);
  const drawn = noGrad(() => model.decode(model.latent(pixels)));
  return { type: "sheet", name: "reconstruction", rows: [pixels, drawn].map(separate) };
}
