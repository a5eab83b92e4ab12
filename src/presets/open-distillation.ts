import type { CacheProgress } from "../data/caches/cache-progress.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { readClips } from "../data/clips/dataset.ts";
import { Rng } from "../engine/random.ts";
import type { Jury } from "../eve/critics/adversarial-objective.ts";
import { openAutoencoderHash, openWeightsHash } from "../eve/open/open-folders.ts";
import { decodeEach, openParts } from "../eve/open/open-parts.ts";
import { unetStride } from "../models/unet/config.ts";
import { latentStride } from "../models/vae/config.ts";
import { loadPublicVision } from "../models/vision/load-vision.ts";
import { parametersOf } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { drawAlignment } from "../training/stages/distillation-drawings.ts";
import { DistillationSettings, hasCritics } from "../training/stages/distillation-settings.ts";
import { requireTimes } from "../training/stages/distillation-times.ts";
import { distillationStage } from "../training/stages/distillation.ts";
import { openCritics } from "./critics.ts";
import { requireData, requireShape, type OpenWeightsSource } from "./open-needs.ts";
import { openOwnInputs } from "./own-inputs.ts";

/** The alignment of the public adapters by Factorized Diffusion Distillation, on a data set of one's own. */
export async function openPublicDistillation(
  config: TrainConfig,
  { progress }: StageContext,
  source: OpenWeightsSource,
): Promise<Stage> {
  const settings = DistillationSettings.parse(config.stage);
  const data = requireData(settings);
  const clips = readClips(data).settings;
  const folders = await source.model();
  // Each weight would be converted at each of an iteration's many evaluations, and graphs keep what is converted
  const weightType = config.precision === "bfloat16" ? config.precision : "stored";
  const parts = openParts(folders, { variant: "fp16", weightType });
  const { networks, autoencoder, textEncoder, tokenizer, maxFrames } = parts;
  const multiple = unetStride(networks.unet.config) * latentStride(autoencoder.config);
  requireShape(data, clips, { maxFrames, multiple });
  requireTimes(settings, networks.schedule);
  const texts = new TextCache(textEncoder, tokenizer);
  const vision = hasCritics(settings) ? loadPublicVision(await source.vision()) : null;
  const decode: Jury["decode"] = (latents) => decodeEach(autoencoder, latents);
  const rng = Rng.seed(config.seed).split("critics");
  const textFeatures = textEncoder.config.hiddenSize;
  // Frames are decoded one by one, each computed again by itself
  const judging = { ...settings, recompute: false };
  const jury = vision && openCritics({ vision, textFeatures, decode }, judging, rng);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const autoencoderHash = openAutoencoderHash(folders);
  const teachersHash = openWeightsHash(folders, [
    "text_encoder",
    "unet",
    "editAdapter",
    "videoAdapter",
    "firstFrames",
  ]);
  const options = { networks, texts, settings, teachersHash };
  const { frames, size } = clips;
  const latents = { folder: settings.cache, autoencoder, autoencoderHash, size, frames };
  const { train, held, dataset } = await openOwnInputs(data, latents, options, report);
  return distillationStage(
    {
      networks,
      dataset,
      train,
      held,
      texts,
      jury,
      frozen: parametersOf({ autoencoder, textEncoder, ...(vision && { vision }) }),
      draw: (student) => drawAlignment({ networks, decode, texts, held, settings }, student),
    },
    config,
  );
}
