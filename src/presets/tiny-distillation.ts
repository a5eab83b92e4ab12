import type { CacheProgress } from "../data/caches/frame-cache.ts";
import { openLookPictures } from "../data/caches/look-pictures.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { worldInputs, type UneditedSource } from "../data/caches/unedited-clips.ts";
import type { Look } from "../data/world/looks.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { ConfigError, UserError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import type { Float, Pixels } from "../engine/tensor.ts";
import type { ModelDescription } from "../eve/model/model-description.ts";
import { autoencoderHash, ModelFolder, TEACHER_PARTS } from "../eve/model/model-folder.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadEditAdapter,
  loadLook,
  loadTextEncoder,
  loadVideoAdapter,
  loadVision,
} from "../eve/model/parts.ts";
import { createAlignment } from "../eve/stack/student.ts";
import type { Networks } from "../eve/stack/teachers.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import { parametersOf } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { alignmentPartOf, combinedLook } from "../training/stages/combined-look.ts";
import { openCombinationInputs } from "../training/stages/combination-inputs.ts";
import { drawAlignment } from "../training/stages/distillation-drawings.ts";
import {
  openDistillationInputs,
  withoutCritics,
  type DistillationInputsOptions,
} from "../training/stages/distillation-inputs.ts";
import { DistillationSettings, hasCritics } from "../training/stages/distillation-settings.ts";
import { distillationStage } from "../training/stages/distillation.ts";
import { drawWithLook } from "../training/stages/drawings.ts";
import {
  StyleAdapterSettings,
  SubjectAdapterSettings,
  type LookAdapterSettings,
} from "../training/stages/look-adapter-settings.ts";
import { lookAdapterStage } from "../training/stages/look-adapter.ts";
import { visionStage } from "../training/stages/vision.ts";
import { openCritics } from "./critics.ts";
import { openOwnInputs, type OpenedInputs } from "./own-inputs.ts";

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
  const look = combinedLook(settings);
  const parts = TEACHER_PARTS[alignmentPartOf(settings)];
  folder.require("autoencoder", "text-encoder", ...parts);
  if (hasCritics(settings)) folder.require("vision");
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const texts = new TextCache(encoder, tokenizer);
  const description = folder.description();
  const { networks, window } = teachersOf(folder, description, look);
  const vision = hasCritics(settings) ? loadVision(folder) : null;
  const textFeatures = encoder.config.hiddenSize;
  const decode = (latents: Float<"f c h w">): Pixels<"f 3 h w"> => autoencoder.decode(latents);
  const jury =
    vision &&
    openCritics({ vision, textFeatures, decode }, settings, Rng.seed(config.seed).split("critics"));
  const teachersHash = folder.hash(["text-encoder", ...parts]);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const source = {
    folder: settings.cache,
    autoencoder,
    autoencoderHash: autoencoderHash(folder),
    size: description.size,
    frames: window,
  };
  const options = { networks, texts, settings, teachersHash };
  const { train, held, dataset } = await openInputs(source, options, report);
  return distillationStage(
    {
      networks,
      dataset,
      train,
      held,
      texts,
      jury,
      frozen: parametersOf({ autoencoder, textEncoder: encoder, ...(vision && { vision }) }),
      draw: (student) => drawAlignment({ networks, decode, texts, held, settings }, student),
    },
    config,
  );
}

/** The inputs that the settings ask for: of the generated world, of a data set, or of another combination (§4.4). */
async function openInputs(
  source: Omit<UneditedSource, "split" | "count">,
  options: DistillationInputsOptions & { readonly settings: DistillationSettings },
  report: (progress: CacheProgress) => void,
): Promise<OpenedInputs> {
  const { settings } = options;
  if (settings.data !== null) return await openOwnInputs(settings.data, source, options, report);
  const { items: count, held } = settings;
  const look = combinedLook(settings);
  if (count === null)
    throw new ConfigError("stage.items: the generated world has no end, give a number");
  const open = async (of: UneditedSource, by: DistillationInputsOptions) =>
    look === null
      ? await openDistillationInputs(worldInputs(of), by, report)
      : await openCombinationInputs(look, of, by, report);
  return {
    train: await open({ ...source, split: "train", count }, options),
    held: await open({ ...source, split: "validation", count: held }, withoutCritics(options)),
    dataset: `generated world, ${count} ${look === null ? "unedited clips" : lookInputs(look, settings)} of the train split with instructions`,
  };
}

function lookInputs({ name }: Look, { combineInputs }: DistillationSettings): string {
  return combineInputs === "drawn"
    ? `pictures that the teacher of ${name} draws by captions`
    : `pictures with ${name}`;
}

/** A LoRA of the backbone, from random weights, on pictures in a style that the backbone has never seen (§4.4). */
export async function openStyleAdapter(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = StyleAdapterSettings.parse(config.stage);
  return await openLookAdapter({ type: "style", name: settings.style }, settings, config, context);
}

/** The same on pictures of a subject that it has never seen. */
export async function openSubjectAdapter(
  config: TrainConfig,
  context: StageContext,
): Promise<Stage> {
  const settings = SubjectAdapterSettings.parse(config.stage);
  const look = { type: "subject", name: settings.subject } as const;
  return await openLookAdapter(look, settings, config, context);
}

async function openLookAdapter(
  look: Look,
  settings: LookAdapterSettings,
  config: TrainConfig,
  { progress }: StageContext,
): Promise<Stage> {
  const folder = new ModelFolder(settings.model);
  folder.require("autoencoder", "text-encoder", "backbone");
  const { size, schedule: kind } = folder.description();
  const schedule = createSchedule(kind);
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const texts = new TextCache(encoder, tokenizer);
  const unet = loadBackbone(folder);
  const lora = createAlignment(Rng.seed(config.seed).split(look.type), unet, settings.lora);
  const report = ({ what, done, total }: CacheProgress): void => progress(what, done, total);
  const source = {
    folder: settings.cache,
    autoencoder,
    autoencoderHash: autoencoderHash(folder),
    size,
  };
  const open = (split: "train" | "validation", count: number) =>
    openLookPictures({ ...source, split, count }, look, report);
  const train = await open("train", settings.items);
  const held = await open("validation", settings.held);
  const kit = { autoencoder, unet, texts, schedule };
  return lookAdapterStage(
    unet,
    lora,
    {
      look,
      train,
      held,
      texts,
      schedule,
      frozen: parametersOf({ autoencoder, textEncoder: encoder }),
      draw: () => drawWithLook(kit, lora, held),
    },
    config,
  );
}

/** The frozen networks of a model folder, and how many frames they see at once. */
function teachersOf(
  folder: ModelFolder,
  { schedule, prediction }: ModelDescription,
  wanted: Look | null,
): { networks: Networks; window: number } {
  const unet = loadBackbone(folder);
  const common = {
    unet,
    editAdapter: loadEditAdapter(folder, unet),
    schedule: createSchedule(schedule),
    kind: prediction,
  };
  if (wanted !== null) {
    const { config, look } = loadLook(folder, unet, `${wanted.type}-adapter`);
    if (config.look === wanted.name)
      return { networks: { ...common, videoAdapter: null, look }, window: 1 };
    throw new UserError(
      `expected the model in ${folder.path} to have the ${wanted.type} ${wanted.name}, it has ${config.look}`,
    );
  }
  const { layers, window } = loadVideoAdapter(folder, unet);
  const networks: Networks = {
    ...common,
    videoAdapter: layers,
  };
  return { networks, window };
}
