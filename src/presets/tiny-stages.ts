import type { z } from "zod";
import type { CacheProgress } from "../data/caches/frame-cache.ts";
import {
  openClipLatents,
  openEditLatents,
  type EditText,
  type LatentSource,
} from "../data/caches/latents.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule, type Schedule } from "../diffusion/schedule.ts";
import { defaultDevice } from "../engine/device.ts";
import { Rng } from "../engine/random.ts";
import { EditAdapter } from "../eve/adapters/edit-adapter.ts";
import { autoencoderHash, ModelFolder, type Part } from "../eve/model/model-folder.ts";
import { loadAutoencoder, loadBackbone, loadTextEncoder } from "../eve/model/parts.ts";
import { TemporalLayers } from "../models/temporal/temporal-layers.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { silenceGrown } from "../models/unet/grown.ts";
import { UNet } from "../models/unet/unet.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { parametersOf, type Module, type Parameters } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Sample, Stage, StageContext } from "../training/stage.ts";
import { autoencoderStage } from "../training/stages/autoencoder.ts";
import { backboneStage, HELD_ITEMS, type LatentMaterial } from "../training/stages/backbone.ts";
import { drawClips, drawEditedPictures, drawPictures } from "../training/stages/drawings.ts";
import { editAdapterStage } from "../training/stages/edit-adapter.ts";
import {
  EditAdapterSettings,
  LatentSettings,
  VideoAdapterSettings,
} from "../training/stages/settings.ts";
import { textEncoderStage } from "../training/stages/text-encoder.ts";
import { HELD_CLIPS, videoAdapterStage } from "../training/stages/video-adapter.ts";
import {
  TINY,
  TINY_AUTOENCODER,
  TINY_EDIT_ADAPTER,
  TINY_SIZE,
  TINY_UNET,
  TINY_VIDEO_ADAPTER,
  tinyTextEncoder,
} from "./tiny-networks.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";

/** The autoencoder, from random weights. */
export async function openAutoencoder(config: TrainConfig, context: StageContext): Promise<Stage> {
  const model = new Autoencoder(rngFor(config, "autoencoder"), TINY_AUTOENCODER);
  return await autoencoderStage(model, config, context);
}

/** The text encoder, from random weights, with the tokenizer of the world's language. */
export function openTextEncoder(config: TrainConfig): Stage {
  const { tokenizer } = tinyTokenizer("runs/cache");
  const encoder = new TextEncoder(
    rngFor(config, "text-encoder"),
    tinyTextEncoder(tokenizer.vocabularySize),
  );
  return textEncoderStage(encoder, tokenizer, config);
}

/** What the latent stages share: the finished parts of the model folder, and how to make latents with them. */
interface Workshop<Settings extends LatentSettings> {
  readonly folder: ModelFolder;
  readonly settings: Settings;
  readonly autoencoder: Autoencoder;
  readonly texts: TextCache;
  readonly schedule: Schedule;
  readonly source: (split: "train" | "validation", count: number) => LatentSource;
  readonly report: (progress: CacheProgress) => void;
  readonly frozen: Parameters;
}

/** Sentences whose features are kept, 9 kB each: all of a large run's on a GPU, some on the CPU. */
const knownSentences = (): number => (defaultDevice() === "cpu" ? 65_536 : 1_048_576);

function openWorkshop<Settings extends LatentSettings>(
  schema: z.ZodType<Settings>,
  config: TrainConfig,
  { progress }: StageContext,
): Workshop<Settings> {
  const settings = schema.parse(config.stage);
  const folder = new ModelFolder(settings.model);
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const latentsOf = autoencoderHash(folder);
  return {
    folder,
    settings,
    autoencoder,
    schedule: createSchedule(TINY.schedule),
    texts: new TextCache(encoder, tokenizer, { limit: knownSentences() }),
    source: (split, count) => ({
      folder: settings.cache,
      autoencoder,
      autoencoderHash: latentsOf,
      split,
      size: TINY_SIZE,
      count,
    }),
    report: ({ what, done, total }) => progress(what, done, total),
    frozen: parametersOf({ autoencoder, textEncoder: encoder }),
  };
}

async function editMaterial(
  { source, settings, report, texts, schedule, frozen }: Workshop<LatentSettings>,
  draw: (held: LatentMaterial<EditText>["held"]) => readonly Sample[],
): Promise<LatentMaterial<EditText>> {
  const train = await openEditLatents(source("train", settings.items), report);
  const held = await openEditLatents(source("validation", HELD_ITEMS), report);
  return { train, held, texts, schedule, frozen, draw: () => draw(held) };
}

/** The text-to-image backbone. */
export async function openBackbone(config: TrainConfig, context: StageContext): Promise<Stage> {
  const workshop = openWorkshop(LatentSettings, config, context);
  const unet = new UNet(rngFor(config, "backbone"), TINY_UNET);
  startWarm(workshop, "backbone", unet);
  const { autoencoder, texts, schedule } = workshop;
  const material = await editMaterial(workshop, (held) =>
    drawPictures({ autoencoder, unet, texts, schedule }, held),
  );
  return backboneStage(unet, material, config);
}

/** The edit adapter on the frozen backbone; its ControlNet begins as a copy of the backbone's encoder. */
export async function openEditAdapter(config: TrainConfig, context: StageContext): Promise<Stage> {
  const workshop = openWorkshop(EditAdapterSettings, config, context);
  const unet = loadBackbone(workshop.folder);
  const adapter = new EditAdapter(rngFor(config, "edit-adapter"), unet, TINY_EDIT_ADAPTER);
  startWarm(workshop, "edit-adapter", adapter);
  const { autoencoder, texts, schedule } = workshop;
  const material = await editMaterial(workshop, (held) =>
    drawEditedPictures({ autoencoder, unet, texts, schedule }, adapter, held),
  );
  const { sampling } = workshop.folder.description();
  return editAdapterStage(unet, adapter, { ...material, sampling }, config);
}

/** The video adapter on the frozen backbone. */
export async function openVideoAdapter(config: TrainConfig, context: StageContext): Promise<Stage> {
  const workshop = openWorkshop(VideoAdapterSettings, config, context);
  const { folder, settings, source, report, autoencoder, texts, schedule, frozen } = workshop;
  const unet = loadBackbone(folder);
  const { window, temporal } = TINY_VIDEO_ADAPTER;
  const layers = new TemporalLayers(rngFor(config, "video-adapter"), unet, temporal);
  startWarm(workshop, "video-adapter", layers);
  const train = await openClipLatents(source("train", settings.items), window, report);
  const held = await openClipLatents(source("validation", HELD_CLIPS), window, report);
  const draw = (): readonly Sample[] =>
    drawClips({ autoencoder, unet, texts, schedule }, layers, held);
  return videoAdapterStage(unet, layers, { train, held, texts, schedule, frozen, draw }, config);
}

/** Continues from what the model folder has of this part, where the settings ask for that. */
function startWarm(
  { folder, settings }: Workshop<LatentSettings>,
  part: Part,
  module: Module,
): void {
  if (!settings.warmStart) return;
  silenceGrown(module, folder.continueFrom(part, module));
}

function rngFor(config: TrainConfig, part: Part): Rng {
  return Rng.seed(config.seed).split(part);
}
