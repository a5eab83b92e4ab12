import { createHash } from "node:crypto";
import type { DecodedEditSource } from "../data/caches/drawn-edits.ts";
import type { CacheProgress } from "../data/caches/frame-cache.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { autoencoderHash, ModelFolder, type Part } from "../eve/model/model-folder.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadEditAdapter,
  loadTextEncoder,
} from "../eve/model/parts.ts";
import type { Autoencoder } from "../models/vae/autoencoder.ts";
import { parametersOf, type Parameters } from "../nn/module.ts";
import type { StageContext } from "../training/stage.ts";
import { editsInUse } from "../training/stages/edits-in-use.ts";
import type { DecoderSettings } from "../training/stages/settings.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";

/** The parts that draw edits frame by frame. */
const DRAWING_PARTS: readonly Part[] = ["text-encoder", "backbone", "edit-adapter"];

/** A model that draws edits of single frames. */
export interface DrawingModel {
  readonly autoencoder: Autoencoder;
  /** All that draws. */
  readonly networks: Parameters;
  readonly source: (split: "train" | "validation", count: number) => DecodedEditSource;
  readonly report: (progress: CacheProgress) => void;
}

/** Opens the model that a stage learns by, to draw edits as it is used. */
export function openDrawingModel(
  { model, cache, from }: Pick<DecoderSettings, "model" | "cache" | "from">,
  { progress }: StageContext,
): DrawingModel {
  const folder = new ModelFolder(model);
  folder.require("autoencoder", ...DRAWING_PARTS);
  const { size, schedule: kind, prediction, sampling = TINY_SAMPLING } = folder.description();
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  const unet = loadBackbone(folder);
  const editAdapter = loadEditAdapter(folder, unet);
  const schedule = createSchedule(kind);
  const networks = { unet, editAdapter, videoAdapter: null, schedule, kind: prediction };
  const latentsOf = autoencoderHash(folder);
  const drawing = folder.identity(DRAWING_PARTS);
  const drawnBy = digest(latentsOf, drawing);
  const decodedBy = digest(latentsOf, drawing, folder.hash(["autoencoder"]));
  const draw = editsInUse({ networks, texts: new TextCache(encoder, tokenizer), sampling });
  return {
    autoencoder,
    networks: parametersOf({ textEncoder: encoder, backbone: unet, editAdapter }),
    source: (split, count) => ({
      folder: cache,
      autoencoder,
      autoencoderHash: latentsOf,
      split,
      size,
      count,
      from,
      drawnBy,
      decodedBy,
      draw,
    }),
    report: ({ what, done, total }) => progress(what, done, total),
  };
}

/** Twelve digits that stand for all of `identities`. */
function digest(...identities: readonly string[]): string {
  const hash = createHash("sha256");
  for (const identity of identities) hash.update(identity);
  return hash.digest("hex").slice(0, 12);
}
