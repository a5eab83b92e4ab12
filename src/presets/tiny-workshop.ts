import type { CacheProgress } from "../data/caches/cache-progress.ts";
import type { LatentSource } from "../data/caches/world-source.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule, type Schedule } from "../diffusion/schedule.ts";
import { nearestModel } from "../editing/settings/model-path.ts";
import { defaultDevice } from "../engine/device.ts";
import type { ModelDescription } from "../eve/model/model-description.ts";
import { autoencoderHash, ModelFolder } from "../eve/model/model-folder.ts";
import { loadAutoencoder, loadTextEncoder } from "../eve/model/parts.ts";
import type { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import type { Autoencoder } from "../models/vae/autoencoder.ts";
import { parametersOf, type Parameters } from "../nn/module.ts";
import type { StageContext } from "../training/stage.ts";
import type { LatentSettings } from "../training/stages/settings.ts";

/** What all stages on latents share: the finished parts of a model folder, and how to make latents with them. */
export interface Workshop {
  readonly folder: ModelFolder;
  readonly description: ModelDescription;
  readonly autoencoder: Autoencoder;
  readonly textEncoder: TextEncoder;
  readonly texts: TextCache;
  readonly schedule: Schedule;
  /** Autoencoder and text encoder, which must not change. */
  readonly frozen: Parameters;
  /** Where latents come from and lie, but for what they are of. */
  readonly latents: Omit<LatentSource, "split" | "count">;
  readonly report: (progress: CacheProgress) => void;
}

/** Sentences whose features are kept, 9 kB each: all of a large run's on a GPU, some on the CPU. */
const knownSentences = (): number => (defaultDevice() === "cpu" ? 65_536 : 1_048_576);

/** Opens the folder `model`; latents lie in `cache`. */
export function openWorkshop(
  { model, cache }: Pick<LatentSettings, "model" | "cache">,
  { progress }: StageContext,
): Workshop {
  const folder = new ModelFolder(nearestModel(model));
  folder.require("autoencoder", "text-encoder");
  const description = folder.description();
  const autoencoder = loadAutoencoder(folder);
  const { encoder, tokenizer } = loadTextEncoder(folder);
  return {
    folder,
    description,
    autoencoder,
    textEncoder: encoder,
    texts: new TextCache(encoder, tokenizer, { limit: knownSentences() }),
    schedule: createSchedule(description.schedule),
    frozen: parametersOf({ autoencoder, textEncoder: encoder }),
    latents: {
      folder: cache,
      autoencoder,
      autoencoderHash: autoencoderHash(folder),
      size: description.size,
    },
    report: ({ what, done, total }) => progress(what, done, total),
  };
}
