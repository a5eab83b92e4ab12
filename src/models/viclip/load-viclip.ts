import { join } from "node:path";
import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { loadTokenizer, requireVocabulary, type Tokenizer } from "../text-encoder/tokenizer.ts";
import { VICLIP_B16, VICLIP_L14, type ViclipConfig } from "./config.ts";
import { Viclip } from "./viclip.ts";
import { loadPublicWeights } from "./weights.ts";

/** A ViCLIP model with the tokenizer that it reads texts by. */
export interface LoadedViclip {
  readonly network: Viclip;
  readonly tokenizer: Tokenizer;
}

/** What ViCLIP's tokenizer fills texts up with. */
const PADDING = 0;

/**
 * A public ViCLIP model, frozen: `model.safetensors` in `folder`, of one of the sizes that `configs` lists.
 *
 * Its texts are split as CLIP's are: `tokenizer` is a folder with a CLIP tokenizer's files.
 */
export function loadViclip(
  folder: string,
  {
    tokenizer = folder,
    configs = [VICLIP_L14, VICLIP_B16],
  }: { readonly tokenizer?: string; readonly configs?: readonly ViclipConfig[] } = {},
): LoadedViclip {
  using _ = tensorScope();
  const path = join(folder, "model.safetensors");
  const weights = loadSafetensors(path);
  const config = configOf(weights, configs, path);
  const network = uninitialised(() => new Viclip(Rng.seed(0), config));
  loadPublicWeights(network, weights, path);
  const { maxPositions, vocabSize } = config.text;
  const read = loadTokenizer(tokenizer, { maxPositions, padId: PADDING });
  requireVocabulary(read, vocabSize, tokenizer);
  return { network, tokenizer: read };
}

/** Files say nothing of their size; the width of the class token does. */
function configOf(
  weights: ReadonlyMap<string, Tensor>,
  configs: readonly ViclipConfig[],
  path: string,
): ViclipConfig {
  const width = weights.get("vision_encoder.class_embedding")?.size;
  const config = configs.find(({ video }) => video.width === width);
  if (!config) {
    const known = configs.map(({ video }) => video.width).join(" or ");
    throw new DataError(
      `${path}: expected ViCLIP's vision_encoder.class_embedding of ${known} values, got ${width ?? "none"}`,
    );
  }
  return config;
}
