// The distillation stage of the open preset on networks and clips of noise.
import { ShardedCache } from "../src/data/caches/shards.ts";
import { TextCache } from "../src/data/caches/text-cache.ts";
import type { UneditedText } from "../src/data/caches/unedited-clips.ts";
import { Rng } from "../src/engine/random.ts";
import { persist } from "../src/engine/scope.ts";
import type { Term } from "../src/eve/distillation/distillation-config.ts";
import { decodeEach, type OpenParts } from "../src/eve/open/open-parts.ts";
import { latentStride } from "../src/models/vae/config.ts";
import { DINOV2_S14 } from "../src/models/vision/config.ts";
import { VisionTransformer } from "../src/models/vision/vision-transformer.ts";
import { parametersOf } from "../src/nn/module.ts";
import { openCritics } from "../src/presets/critics.ts";
import { openPreset } from "../src/presets/open.ts";
import type { TrainConfig } from "../src/training/config.ts";
import { resolveConfig, stageEntry } from "../src/training/stage.ts";
import type { DistillationInputs } from "../src/training/stages/distillation-inputs.ts";
import { DistillationSettings, hasCritics } from "../src/training/stages/distillation-settings.ts";
import { distillationStage, type DistillationStage } from "../src/training/stages/distillation.ts";
import { noisy } from "./full-width.ts";

/** What is distilled. */
export interface NoiseDistillation {
  readonly frames: number;
  /** Side of the pictures, in pixels. */
  readonly size: number;
  readonly terms: readonly Term[];
  readonly recompute: DistillationSettings["recompute"];
}

/** The stage at its last phase, critics included where a term asks for them, and the preset's settings with these. */
export function noiseDistillation(
  parts: OpenParts,
  { frames, size, terms, recompute }: NoiseDistillation,
): { stage: DistillationStage; config: TrainConfig } {
  const { networks, autoencoder, textEncoder, tokenizer } = parts;
  const noWeights = () => Promise.reject(new Error("the weights are noise"));
  const entry = stageEntry(openPreset({ model: noWeights, vision: noWeights }), "distillation");
  const base = resolveConfig(entry);
  const config = resolveConfig(entry, {
    ...base,
    warmup: 0,
    stage: { ...base.stage, terms: [...terms], recompute, adversarialFrom: 0 },
  });
  const settings = DistillationSettings.parse(config.stage);
  const rng = Rng.seed(0);
  const vision = new VisionTransformer(rng, DINOV2_S14);
  const jury = openCritics(
    {
      vision,
      textFeatures: textEncoder.config.hiddenSize,
      decode: (latents) => decodeEach(autoencoder, latents),
    },
    { ...settings, recompute: false },
    rng,
  );
  const inputs = noiseInputs(parts, frames, size);
  const stage = distillationStage(
    {
      networks,
      dataset: "noise",
      train: inputs,
      held: inputs,
      texts: new TextCache(textEncoder, tokenizer),
      jury: hasCritics(settings) ? jury : null,
      frozen: parametersOf({ autoencoder, textEncoder, vision }),
      draw: () => [],
    },
    config,
  );
  return { stage, config };
}

/** One clip, with words. */
function noiseInputs(
  { networks: { hintOf }, autoencoder }: OpenParts,
  frames: number,
  size: number,
): DistillationInputs {
  const side = size / latentStride(autoencoder.config);
  const clip = persist(noisy([1, frames, 4, side, side]));
  const text: UneditedText = {
    task: "style",
    instruction: "make it autumn",
    outputCaption: "a park in autumn",
  };
  const drawn = new ShardedCache([
    {
      tensors: new Map([
        ["firstFrame", persist(noisy([1, 4, side, side], 7))],
        ["edit", clip],
        ["video", clip],
      ]),
      texts: [null],
    },
  ]);
  const clips = { count: 1, text: () => text, firstIndices: () => [0], gather: () => clip };
  return { clips, firstFrames: drawn, samples: drawn, ...(hintOf && { hintOf }) };
}
