import { openClipLatents, openEditLatents, type EditText } from "../data/caches/latents.ts";
import { Rng } from "../engine/random.ts";
import { EditAdapter } from "../eve/adapters/edit-adapter.ts";
import type { ModelFolder, Part } from "../eve/model/model-folder.ts";
import { loadBackbone } from "../eve/model/parts.ts";
import { TemporalLayers } from "../models/temporal/temporal-layers.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { silenceGrown } from "../models/unet/grown.ts";
import { UNet } from "../models/unet/unet.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import type { Module } from "../nn/module.ts";
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
import { visionStage } from "../training/stages/vision.ts";
import {
  TINY_AUTOENCODER,
  TINY_EDIT_ADAPTER,
  TINY_UNET,
  TINY_VIDEO_ADAPTER,
  tinyTextEncoder,
} from "./tiny-networks.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";
import { openWorkshop, type Workshop } from "./tiny-workshop.ts";

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

async function editMaterial(
  { latents, report, texts, schedule, frozen }: Workshop,
  items: number,
  draw: (held: LatentMaterial<EditText>["held"]) => readonly Sample[],
): Promise<LatentMaterial<EditText>> {
  const train = await openEditLatents({ ...latents, split: "train", count: items }, report);
  const held = await openEditLatents(
    { ...latents, split: "validation", count: HELD_ITEMS },
    report,
  );
  return { train, held, texts, schedule, frozen, draw: () => draw(held) };
}

/** What critics see with, from random weights. */
export async function openVision(config: TrainConfig, context: StageContext): Promise<Stage> {
  return await visionStage(
    new VisionTransformer(rngFor(config, "vision"), TINY_VISION),
    config,
    context,
  );
}

/** The text-to-image backbone. */
export async function openBackbone(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = LatentSettings.parse(config.stage);
  const workshop = openWorkshop(settings, context);
  const unet = new UNet(rngFor(config, "backbone"), TINY_UNET);
  if (settings.warmStart) startWarm(workshop.folder, "backbone", unet);
  const { autoencoder, texts, schedule } = workshop;
  const material = await editMaterial(workshop, settings.items, (held) =>
    drawPictures({ autoencoder, unet, texts, schedule }, held),
  );
  return backboneStage(unet, material, config);
}

/** The edit adapter on the frozen backbone; its ControlNet begins as a copy of the backbone's encoder. */
export async function openEditAdapter(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = EditAdapterSettings.parse(config.stage);
  const workshop = openWorkshop(settings, context);
  const unet = loadBackbone(workshop.folder);
  const adapter = new EditAdapter(rngFor(config, "edit-adapter"), unet, TINY_EDIT_ADAPTER);
  if (settings.warmStart) startWarm(workshop.folder, "edit-adapter", adapter);
  const { autoencoder, texts, schedule } = workshop;
  const material = await editMaterial(workshop, settings.items, (held) =>
    drawEditedPictures({ autoencoder, unet, texts, schedule }, adapter, held),
  );
  const { sampling } = workshop.description;
  return editAdapterStage(unet, adapter, { ...material, sampling }, config);
}

/** The video adapter on the frozen backbone. */
export async function openVideoAdapter(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = VideoAdapterSettings.parse(config.stage);
  const workshop = openWorkshop(settings, context);
  const { folder, latents, report, autoencoder, texts, schedule, frozen } = workshop;
  const unet = loadBackbone(folder);
  const { window, temporal } = TINY_VIDEO_ADAPTER;
  const layers = new TemporalLayers(rngFor(config, "video-adapter"), unet, temporal);
  if (settings.warmStart) startWarm(workshop.folder, "video-adapter", layers);
  const open = (split: "train" | "validation", count: number) =>
    openClipLatents({ ...latents, split, count }, window, report);
  const train = await open("train", settings.items);
  const held = await open("validation", HELD_CLIPS);
  const draw = (): readonly Sample[] =>
    drawClips({ autoencoder, unet, texts, schedule }, layers, held);
  return videoAdapterStage(unet, layers, { train, held, texts, schedule, frozen, draw }, config);
}

/** Continues from what the model folder has of this part. */
function startWarm(folder: ModelFolder, part: Part, module: Module): void {
  silenceGrown(module, folder.continueFrom(part, module));
}

function rngFor(config: TrainConfig, part: Part): Rng {
  return Rng.seed(config.seed).split(part);
}
