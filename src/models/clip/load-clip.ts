import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError, UserError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { uninitialised } from "../../nn/init.ts";
import { loadTokenizer, requireVocabulary, type Tokenizer } from "../text-encoder/tokenizer.ts";
import { Clip } from "./clip.ts";
import { parsePublicConfig } from "./public-config.ts";
import { loadPublicWeights } from "./weights.ts";

/** A CLIP model with the tokenizer that it reads texts by. */
export interface LoadedClip {
  readonly network: Clip;
  readonly tokenizer: Tokenizer;
}

/**
 * A public CLIP model, frozen: `config.json`, `model.safetensors` and the tokenizer's files in `folder`.
 *
 * PickScore's own files come without a tokenizer: it reads texts by that of LAION's H/14, in the folder `tokenizer`.
 */
export function loadClip(folder: string, { tokenizer = folder } = {}): LoadedClip {
  using _ = tensorScope();
  const weights = join(folder, "model.safetensors");
  const config = parsePublicConfig(readJson(join(folder, "config.json")));
  const network = uninitialised(() => new Clip(Rng.seed(0), config));
  loadPublicWeights(network, loadSafetensors(weights), weights);
  const { maxPositions, vocabSize } = config.text;
  const read = loadTokenizer(tokenizer, { maxPositions });
  requireVocabulary(read, vocabSize, tokenizer);
  return { network, tokenizer: read };
}

function readJson(path: string): unknown {
  if (!existsSync(path))
    throw new UserError(`${path} does not exist: give a folder of a CLIP model`);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new DataError(`${path}: expected JSON, got text that is not`, { cause });
  }
}
