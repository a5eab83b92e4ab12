import { ConfigError } from "../engine/errors.ts";
import type { InputSource, UneditedSource } from "../data/caches/unedited-clips.ts";
import { latentsOf, preparedInputs } from "../data/inputs/prepared-clips.ts";
import { readPreparedData, requireFit } from "../data/inputs/prepared-items.ts";
import type { CacheProgress } from "../data/caches/cache-progress.ts";
import {
  openDistillationInputs,
  withoutCritics,
  type DistillationInputs,
  type DistillationInputsOptions,
} from "../training/stages/distillation-inputs.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { requireDigest } from "./own-data.ts";

/** What a run learns from, and what it is measured on. */
export interface OpenedInputs {
  readonly train: DistillationInputs;
  readonly held: DistillationInputs;
  /** What is trained on, in words. */
  readonly dataset: string;
}

/** Opens the inputs of the data set in `data`; see `ownInputs`. The teachers draw what is missing. */
export async function openOwnInputs(
  data: string,
  source: Omit<UneditedSource, "split" | "count">,
  options: DistillationInputsOptions & { readonly settings: DistillationSettings },
  report: (progress: CacheProgress) => void,
): Promise<OpenedInputs> {
  const { train, held, dataset } = ownInputs(data, source, options.settings);
  return {
    train: await openDistillationInputs(train, options, report),
    held: await openDistillationInputs(held, withoutCritics(options), report),
    dataset,
  };
}

/**
 * The inputs of distillation from the data set in `data`, and what they are, in words.
 *
 * Throws a UserError for clips that do not fit the model, and for data that is not what the settings name.
 */
export function ownInputs(
  data: string,
  { folder: cache, autoencoderHash, size, frames }: Omit<UneditedSource, "split" | "count">,
  { held, items, dataDigest, combine }: DistillationSettings,
): { train: InputSource; held: InputSource; dataset: string } {
  if (combine !== null)
    throw new ConfigError(
      "stage.data and stage.combine exclude each other: the look draws its own",
    );
  const found = readPreparedData(data, held);
  requireFit(data, found.settings, { frames, size, autoencoder: autoencoderHash });
  requireDigest(data, found.digest, dataDigest);
  const latents = latentsOf(data);
  const common = { folder: data, latents, clips: found.clips, cache, autoencoderHash };
  const train = found.train.slice(0, items ?? found.train.length);
  const clips = new Set(train.map(({ clip }) => clip)).size;
  return {
    train: preparedInputs({ ...common, name: "train", records: train }),
    held: preparedInputs({ ...common, name: "held", records: found.held }),
    dataset: `own data ${found.digest}, ${clips} unedited clips with ${train.length} instructions`,
  };
}
