import { Rng } from "../engine/random.ts";
import type { CacheProgress } from "../data/caches/frame-cache.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import type { Jury } from "../eve/adversarial-objective.ts";
import { CriticConfig } from "../eve/critic-config.ts";
import { EditCritic, VideoCritic } from "../eve/critics.ts";
import type { ModelDescription } from "../eve/model-description.ts";
import { ModelFolder, TEACHER_PARTS } from "../eve/model-folder.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadEditAdapter,
  loadTextEncoder,
  loadVideoAdapter,
  loadVision,
} from "../eve/parts.ts";
import { parametersOf } from "../eve/student.ts";
import type { Networks } from "../eve/teachers.ts";
import type { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import type { Autoencoder } from "../models/vae/autoencoder.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { drawAlignment } from "../training/stages/distillation-drawings.ts";
import { openDistillationInputs } from "../training/stages/distillation-inputs.ts";
import { DistillationSettings, hasCritics } from "../training/stages/distillation-settings.ts";
import { distillationStage } from "../training/stages/distillation.ts";
import { visionStage } from "../training/stages/vision.ts";

/** The vision transformer, from random weights. */
export async function openVision(config: TrainConfig, context: StageContext): Promise<Stage> {
  const vision = new VisionTransformer(Rng.seed(config.seed).split("vision"), TINY_VISION);
  return await visionStage(vision, config, context);
}

/** The alignment of the adapters that the model folder has, by Factorized Diffusion Distillation. */
export async function openDistillation(
  config: TrainConfig,
  { progress }: StageContext,
): Promise<Stage> {
  const settings = DistillationSettings.parse(config.stage);
  const folder = new ModelFolder(settings.model);
  folder.require("autoencoder", "text-encoder", ...TEACHER_PARTS);
  if (hasCritics(settings)) folder.require("vision");
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const texts = new TextCache(encoder, tokenizer);
  const description = folder.description();
  const { networks, window } = teachersOf(folder, description);
  const critics = hasCritics(settings)
    ? openCritics(
        folder,
        { autoencoder, encoder },
        settings,
        Rng.seed(config.seed).split("critics"),
      )
    : null;
  const teachersHash = folder.hash(["text-encoder", ...TEACHER_PARTS]);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const source = {
    folder: settings.cache,
    autoencoder,
    autoencoderHash: folder.hash(["autoencoder"]).slice(0, 12),
    size: description.size,
    frames: window,
  };
  const options = { networks, texts, settings, teachersHash };
  const train = await openDistillationInputs(
    { ...source, split: "train", count: settings.items },
    options,
    report,
  );
  const held = await openDistillationInputs(
    { ...source, split: "validation", count: settings.held },
    { ...options, settings: { ...settings, terms: ["sdsEdit", "sdsVideo"] } },
    report,
  );
  return distillationStage(
    {
      networks,
      train,
      held,
      texts,
      jury: critics?.jury ?? null,
      frozen: parametersOf({
        autoencoder,
        textEncoder: encoder,
        ...(critics && { vision: critics.vision }),
      }),
      draw: (student) => drawAlignment({ networks, autoencoder, texts, held }, student),
    },
    config,
  );
}

/** The frozen networks of a model folder, and how many frames they see at once. */
function teachersOf(
  folder: ModelFolder,
  { schedule, prediction }: ModelDescription,
): { networks: Networks; window: number } {
  const unet = loadBackbone(folder);
  const { layers, window } = loadVideoAdapter(folder, unet);
  const networks: Networks = {
    unet,
    editAdapter: loadEditAdapter(folder, unet),
    videoAdapter: layers,
    schedule: createSchedule(schedule),
    kind: prediction,
  };
  return { networks, window };
}

/** Both critics with random heads, and what they see with. */
function openCritics(
  folder: ModelFolder,
  { autoencoder, encoder }: { autoencoder: Autoencoder; encoder: TextEncoder },
  { heads, adversarial, augmentation }: DistillationSettings,
  rng: Rng,
): { jury: Jury; vision: VisionTransformer } {
  const vision = loadVision(folder);
  const config = CriticConfig.parse({ ...heads, textFeatures: encoder.config.hiddenSize });
  const jury: Jury = {
    edit: new EditCritic(rng.split("edit"), vision, config),
    video: new VideoCritic(rng.split("video"), vision, config),
    decode: (latents) => autoencoder.decode(latents),
    losses: adversarial,
    augmentation,
  };
  return { jury, vision };
}
