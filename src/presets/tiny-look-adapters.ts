import { openLookPictures } from "../data/caches/look-pictures.ts";
import type { Look } from "../data/world/looks.ts";
import { Rng } from "../engine/random.ts";
import { loadBackbone } from "../eve/model/parts.ts";
import { createAlignment } from "../eve/stack/student.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { drawWithLook } from "../training/stages/drawings.ts";
import {
  StyleAdapterSettings,
  SubjectAdapterSettings,
  type LookAdapterSettings,
} from "../training/stages/look-adapter-settings.ts";
import { lookAdapterStage } from "../training/stages/look-adapter.ts";
import { openWorkshop } from "./tiny-workshop.ts";

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
  context: StageContext,
): Promise<Stage> {
  const workshop = openWorkshop(settings, context);
  const { folder, latents, autoencoder, texts, schedule, frozen, report } = workshop;
  const unet = loadBackbone(folder);
  const lora = createAlignment(Rng.seed(config.seed).split(look.type), unet, settings.lora);
  const open = (split: "train" | "validation", count: number) =>
    openLookPictures({ ...latents, split, count }, look, report);
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
      frozen,
      draw: () => drawWithLook(kit, lora, held),
    },
    config,
  );
}
