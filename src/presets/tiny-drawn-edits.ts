import { createHash } from "node:crypto";
import type { DecodedEditSource } from "../data/caches/drawn-edits.ts";
import type { CacheProgress } from "../data/caches/cache-progress.ts";
import type { Part } from "../eve/model/model-folder.ts";
import { loadBackbone, loadEditAdapter } from "../eve/model/parts.ts";
import type { Autoencoder } from "../models/vae/autoencoder.ts";
import { parametersOf, type Parameters } from "../nn/module.ts";
import type { StageContext } from "../training/stage.ts";
import { editsInUse } from "../training/stages/edits-in-use.ts";
import type { DecoderSettings } from "../training/stages/settings.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";
import { openWorkshop } from "./tiny-workshop.ts";

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
  context: StageContext,
): DrawingModel {
  const { folder, description, autoencoder, textEncoder, texts, schedule, latents, report } =
    openWorkshop({ model, cache }, context);
  folder.require(...DRAWING_PARTS);
  const { prediction, sampling = TINY_SAMPLING } = description;
  const unet = loadBackbone(folder);
  const editAdapter = loadEditAdapter(folder, unet);
  const networks = { unet, editAdapter, videoAdapter: null, schedule, kind: prediction };
  const drawing = folder.identity(DRAWING_PARTS);
  const drawnBy = digest(latents.autoencoderHash, drawing);
  const decodedBy = digest(latents.autoencoderHash, drawing, folder.hash(["autoencoder"]));
  const draw = editsInUse({ networks, texts, sampling });
  return {
    autoencoder,
    networks: parametersOf({ textEncoder, backbone: unet, editAdapter }),
    source: (split, count) => ({ ...latents, split, count, from, drawnBy, decodedBy, draw }),
    report,
  };
}

/** Twelve digits that stand for all of `identities`. */
function digest(...identities: readonly string[]): string {
  const hash = createHash("sha256");
  for (const identity of identities) hash.update(identity);
  return hash.digest("hex").slice(0, 12);
}
