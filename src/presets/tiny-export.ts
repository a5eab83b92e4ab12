import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad } from "../engine/autodiff.ts";
import { UserError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import { tensorScope } from "../engine/scope.ts";
import { Tensor } from "../engine/tensor.ts";
import { openFrameCache } from "../data/caches/frame-cache.ts";
import { ModelFolder, PARTS, type Part } from "../eve/model-folder.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import type { VaeConfig } from "../models/vae/config.ts";
import { copyParameters, type Parameters } from "../nn/module.ts";
import { TINY, TINY_AUTOENCODER, TINY_SIZE, tinyPartConfig } from "./tiny-networks.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";

/** Pictures from which the mean and deviation of latents are taken. */
const STATISTICS_PICTURES = 256;

/** Puts the averaged weights of a finished run into a model folder, in float16, with their receipt. */
export async function exportTinyPart(
  stage: string,
  run: string,
  model: string,
  cache: string,
): Promise<Part> {
  const part = PARTS.find((name) => name === stage);
  if (part === undefined)
    throw new UserError(`expected a stage among ${PARTS.join(", ")}, got "${stage}"`);
  const path = join(run, "weights", `${stage}.safetensors`);
  if (!existsSync(path)) {
    throw new UserError(
      `expected the weights of a finished run at ${path}, found none: finish it with "./eve train ${stage}"`,
    );
  }
  const weights = loadSafetensors(path);
  const { tokenizer, folder } = tinyTokenizer(cache);
  const files =
    part === "text-encoder"
      ? ["tokenizer.json", "words.json"].map((name) => join(folder, name))
      : [];
  const config =
    part === "autoencoder"
      ? await withStatistics(weights, cache)
      : tinyPartConfig(part, tokenizer.vocabularySize);
  const receipt: unknown = JSON.parse(readFileSync(join(run, "receipt.json"), "utf8"));
  const target = new ModelFolder(model);
  target.describe(TINY);
  target.savePart(part, { config, weights, receipt, files });
  return part;
}

/** The autoencoder's config with what its latents are centred and scaled by. */
async function withStatistics(weights: Parameters, cache: string): Promise<VaeConfig> {
  const model = new Autoencoder(Rng.seed(0), TINY_AUTOENCODER);
  copyParameters(model.parameters(), weights, "the run's autoencoder");
  const options = {
    folder: cache,
    split: "train",
    count: STATISTICS_PICTURES,
    size: TINY_SIZE,
  } as const;
  const pictures = await openFrameCache(options);
  using _ = tensorScope();
  const latents: Tensor[] = [];
  for (let first = 0; first < STATISTICS_PICTURES; first += 32) {
    const indices = Array.from({ length: 32 }, (__, i) => first + i);
    latents.push(noGrad(() => model.latent(pictures.pixels(indices))));
  }
  const all = Tensor.cat(latents, 0);
  const mean = all.mean([0, 2, 3], { keepDim: true });
  const deviation = all.sub(mean).square().mean([0, 2, 3]).sqrt();
  const rounded = (values: Tensor): number[] =>
    [...values.reshape([-1]).toFloat32Array()].map((v) => Number(v.toFixed(5)));
  return { ...TINY_AUTOENCODER, latentMean: rounded(mean), latentStd: rounded(deviation) };
}
