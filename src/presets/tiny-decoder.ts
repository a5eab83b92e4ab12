import { createHash } from "node:crypto";
import { openDrawnEdits } from "../data/caches/drawn-edits.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { autoencoderHash, ModelFolder, type Part } from "../eve/model/model-folder.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadEditAdapter,
  loadTextEncoder,
} from "../eve/model/parts.ts";
import { parametersOf } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { decoderStage } from "../training/stages/decoder.ts";
import { editsInUse } from "../training/stages/edits-in-use.ts";
import { DecoderSettings } from "../training/stages/settings.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";

/** The parts that draw edits frame by frame. */
const DRAWING_PARTS: readonly Part[] = ["text-encoder", "backbone", "edit-adapter"];

/** The decoder of the model's autoencoder, from the weights that it has. */
export async function openDecoder(config: TrainConfig, { progress }: StageContext): Promise<Stage> {
  const settings = DecoderSettings.parse(config.stage);
  const folder = new ModelFolder(settings.model);
  folder.require("autoencoder", ...DRAWING_PARTS);
  const { size, schedule: kind, prediction, sampling = TINY_SAMPLING } = folder.description();
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const unet = loadBackbone(folder);
  const editAdapter = loadEditAdapter(folder, unet);
  const schedule = createSchedule(kind);
  const networks = { unet, editAdapter, videoAdapter: null, schedule, kind: prediction };
  const latentsOf = autoencoderHash(folder);
  const drawnBy = createHash("sha256").update(latentsOf).update(folder.identity(DRAWING_PARTS));
  const source = {
    folder: settings.cache,
    autoencoder,
    autoencoderHash: latentsOf,
    size,
    from: settings.from,
    drawnBy: drawnBy.digest("hex").slice(0, 12),
    draw: editsInUse({ networks, texts: new TextCache(encoder, tokenizer), sampling }),
  };
  const open = (split: "train" | "validation", count: number) =>
    openDrawnEdits({ ...source, split, count }, ({ what, done, total }) =>
      progress(what, done, total),
    );
  const train = await open("train", settings.items);
  const held = await open("validation", settings.held);
  const frozen = parametersOf({ textEncoder: encoder, backbone: unet, editAdapter });
  return decoderStage(autoencoder, { train, held, frozen }, config);
}
