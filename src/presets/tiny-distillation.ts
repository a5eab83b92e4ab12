import { UserError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import type { CacheProgress } from "../data/caches/frame-cache.ts";
import { openStyledPictures } from "../data/caches/styled-pictures.ts";
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
  loadStyleAdapter,
  loadTextEncoder,
  loadVideoAdapter,
  loadVision,
} from "../eve/parts.ts";
import { createAlignment } from "../eve/student.ts";
import { parametersOf } from "../nn/module.ts";
import type { Networks } from "../eve/teachers.ts";
import type { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import type { Autoencoder } from "../models/vae/autoencoder.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { drawAlignment } from "../training/stages/distillation-drawings.ts";
import { openCombinationInputs } from "../training/stages/combination-inputs.ts";
import { openDistillationInputs } from "../training/stages/distillation-inputs.ts";
import { DistillationSettings, hasCritics } from "../training/stages/distillation-settings.ts";
import { distillationStage } from "../training/stages/distillation.ts";
import { StyleAdapterSettings } from "../training/stages/style-adapter-settings.ts";
import { styleAdapterStage } from "../training/stages/style-adapter.ts";
import { drawStyled } from "../training/stages/drawings.ts";
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
  const parts = TEACHER_PARTS[settings.combine === null ? "alignment" : "style-alignment"];
  folder.require("autoencoder", "text-encoder", ...parts);
  if (hasCritics(settings)) folder.require("vision");
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const texts = new TextCache(encoder, tokenizer);
  const description = folder.description();
  const { networks, window } = teachersOf(folder, description, settings);
  const critics = hasCritics(settings)
    ? openCritics(
        folder,
        { autoencoder, encoder },
        settings,
        Rng.seed(config.seed).split("critics"),
      )
    : null;
  const teachersHash = folder.hash(["text-encoder", ...parts]);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const source = {
    folder: settings.cache,
    autoencoder,
    autoencoderHash: folder.hash(["autoencoder"]).slice(0, 12),
    size: description.size,
    frames: window,
  };
  const options = { networks, texts, settings, teachersHash };
  const openInputs = settings.combine === null ? openDistillationInputs : openCombinationInputs;
  const train = await openInputs(
    { ...source, split: "train", count: settings.items },
    options,
    report,
  );
  const held = await openInputs(
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

/** A LoRA of the backbone, from random weights, on pictures in a style that the backbone has never seen (§4.4). */
export async function openStyleAdapter(
  config: TrainConfig,
  { progress }: StageContext,
): Promise<Stage> {
  const settings = StyleAdapterSettings.parse(config.stage);
  const { style } = settings;
  const folder = new ModelFolder(settings.model);
  folder.require("autoencoder", "text-encoder", "backbone");
  const { size, schedule: kind } = folder.description();
  const schedule = createSchedule(kind);
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const texts = new TextCache(encoder, tokenizer);
  const unet = loadBackbone(folder);
  const lora = createAlignment(Rng.seed(config.seed).split("style"), unet, settings.lora);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const open = (split: "train" | "validation", count: number) =>
    openStyledPictures(
      {
        folder: settings.cache,
        autoencoder,
        autoencoderHash: folder.hash(["autoencoder"]).slice(0, 12),
        split,
        size,
        count,
      },
      style,
      report,
    );
  const train = await open("train", settings.items);
  const held = await open("validation", settings.held);
  const kit = { autoencoder, unet, texts, schedule };
  return styleAdapterStage(
    unet,
    lora,
    {
      train,
      held,
      texts,
      schedule,
      frozen: parametersOf({ autoencoder, textEncoder: encoder }),
      draw: () => drawStyled(kit, lora, held),
    },
    config,
  );
}

/** The frozen networks of a model folder, and how many frames they see at once. */
function teachersOf(
  folder: ModelFolder,
  { schedule, prediction }: ModelDescription,
  { combine }: Pick<DistillationSettings, "combine">,
): { networks: Networks; window: number } {
  const unet = loadBackbone(folder);
  const common = {
    unet,
    editAdapter: loadEditAdapter(folder, unet),
    schedule: createSchedule(schedule),
    kind: prediction,
  };
  if (combine !== null) {
    const { config, look } = loadStyleAdapter(folder, unet);
    const has = `style:${config.style}`;
    if (has === combine) return { networks: { ...common, videoAdapter: null, look }, window: 1 };
    throw new UserError(`expected the model in ${folder.path} to have ${combine}, it has ${has}`);
  }
  const { layers, window } = loadVideoAdapter(folder, unet);
  const networks: Networks = {
    ...common,
    videoAdapter: layers,
  };
  return { networks, window };
}

/** Both critics with random heads, and what they see with. */
function openCritics(
  folder: ModelFolder,
  { autoencoder, encoder }: { autoencoder: Autoencoder; encoder: TextEncoder },
  { heads, adversarial, augmentation, recompute }: DistillationSettings,
  rng: Rng,
): { jury: Jury; vision: VisionTransformer } {
  const vision = loadVision(folder);
  const config = CriticConfig.parse({ ...heads, textFeatures: encoder.config.hiddenSize });
  const jury: Jury = {
    edit: new EditCritic(rng.split("edit"), vision, config),
    video: new VideoCritic(rng.split("video"), vision, config),
    decode: (latents) => autoencoder.decode(latents),
    recompute,
    losses: adversarial,
    augmentation,
  };
  return { jury, vision };
}
