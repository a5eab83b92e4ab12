import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { parsePublicScheduler, type PublicScheduler } from "../../diffusion/public-scheduler.ts";
import type { TextEncoder } from "../text-encoder/text-encoder.ts";
import { loadTokenizer, requireVocabulary, type Tokenizer } from "../text-encoder/tokenizer.ts";
import type { UNet } from "../unet/unet.ts";
import type { Autoencoder } from "../vae/autoencoder.ts";
import { readJson } from "../public-weights/json.ts";
import { AUTOENCODER, TEXT_ENCODER, UNET, openNetwork, type OpenOptions } from "./networks.ts";

/** What model_index.json says of one subfolder. */
export interface PipelinePart {
  /** The Python library that wrote it, e.g. `diffusers`. */
  readonly library: string;
  readonly className: string;
}

const Index = z.record(z.string(), z.unknown());
const Entry = z.tuple([z.string(), z.string()]);

/**
 * The subfolders of a pipeline by name, as its model_index.json lists them.
 *
 * Parts that a pipeline goes without (`null`, `[null, null]`) and flags are no folders.
 */
export function readPipelineIndex(folder: string): ReadonlyMap<string, PipelinePart> {
  const path = join(folder, "model_index.json");
  if (!existsSync(path))
    throw new DataError(
      `${folder}: expected a pipeline's folder with a model_index.json, found none there`,
    );
  const parts = new Map<string, PipelinePart>();
  for (const [name, value] of Object.entries(readJson(path, Index))) {
    const entry = Entry.safeParse(value);
    if (name.startsWith("_") || !entry.success) continue;
    if (!/^\w[\w-]*$/.test(name))
      throw new DataError(`${path}: expected names of subfolders, got ${JSON.stringify(name)}`);
    const [library, className] = entry.data;
    parts.set(name, { library, className });
  }
  return parts;
}

/** The opened parts of a pipeline of Stable Diffusion 1.5's kind. All networks are frozen. */
export interface Pipeline {
  readonly unet: UNet;
  readonly autoencoder: Autoencoder;
  readonly textEncoder: TextEncoder;
  readonly tokenizer: Tokenizer;
  readonly scheduler: PublicScheduler;
}

/** How a pipeline is opened. */
export interface PipelineOptions extends OpenOptions {
  /** diffusers' name of a sampler to use instead of the one that the folder names, e.g. `DDIMScheduler`. */
  readonly sampler?: string;
}

/** The subfolders that `openPipeline` reads, and the classes that it can read in each; null: any. */
const EXPECTED: Readonly<Record<string, readonly string[] | null>> = {
  unet: ["UNet2DConditionModel"],
  vae: ["AutoencoderKL"],
  text_encoder: ["CLIPTextModel"],
  tokenizer: ["CLIPTokenizer", "CLIPTokenizerFast"],
  scheduler: null,
};

/**
 * Opens the parts of a pipeline's folder (diffusers): `unet`, `vae`, `text_encoder`, `tokenizer` and `scheduler`.
 *
 * Others (a safety checker, a feature extractor) are left alone. Throws a DataError where the tokenizer has more tokens
 * than the text encoder. One part alone: `openNetwork(join(folder, "vae"), …)`.
 */
export function openPipeline(folder: string, options: PipelineOptions = {}): Pipeline {
  checkParts(folder);
  const at = (part: string): string => join(folder, part);
  const textEncoder = openNetwork(at("text_encoder"), TEXT_ENCODER, options);
  const { maxPositions, vocabSize } = textEncoder.config;
  const tokenizer = loadTokenizer(at("tokenizer"), { maxPositions });
  requireVocabulary(tokenizer, vocabSize, at("tokenizer"));
  return {
    scheduler: openScheduler(at("scheduler"), options.sampler),
    tokenizer,
    textEncoder,
    unet: openNetwork(at("unet"), UNET, options),
    autoencoder: openNetwork(at("vae"), AUTOENCODER, options),
  };
}

function checkParts(folder: string): void {
  const parts = readPipelineIndex(folder);
  for (const [name, classes] of Object.entries(EXPECTED)) {
    const part = parts.get(name);
    if (!part)
      throw new DataError(
        `${folder}: expected a pipeline with ${Object.keys(EXPECTED).join(", ")}, its model_index.json has no ${name}`,
      );
    if (classes && !classes.includes(part.className))
      throw new DataError(
        `${folder}: expected ${classes.join(" or ")} as ${name}, its model_index.json says ${part.className}`,
      );
    if (!existsSync(join(folder, name)))
      throw new DataError(
        `${folder}: expected the folder ${name} that its model_index.json names, found none: fetch it again`,
      );
  }
}

/** Opens a folder with diffusers' scheduler_config.json; `sampler` as in `parsePublicScheduler`. */
export function openScheduler(folder: string, sampler?: string): PublicScheduler {
  const path = join(folder, "scheduler_config.json");
  try {
    return parsePublicScheduler(readJson(path, Index), sampler);
  } catch (cause) {
    if (cause instanceof ConfigError)
      throw new ConfigError(`${folder}: ${cause.message}`, { cause });
    throw cause;
  }
}
