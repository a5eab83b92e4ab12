import { resolveClipConfig } from "../../src/models/clip/config.ts";
import { resolveViclipConfig } from "../../src/models/viclip/config.ts";

/** The tokenizer of a few hundred tokens that `test/golden/text-encoder/` has. */
export const SMALL_TOKENIZER = new URL("../golden/text-encoder/tokenizer", import.meta.url)
  .pathname;

/** More than `SMALL_TOKENIZER` has tokens. */
const vocabSize = 600;

/** A CLIP model that reads pictures of 28 pixels. */
export const SMALL_CLIP = resolveClipConfig({
  text: { vocabSize, hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32, maxPositions: 16 },
  vision: {
    imageSize: 28,
    patchSize: 14,
    hiddenSize: 16,
    layers: 1,
    heads: 2,
    intermediateSize: 32,
  },
  projection: 12,
});

const { text, vision, projection } = SMALL_CLIP;
/** `SMALL_CLIP` as `config.json` of a published model says it. */
export const publicClipConfig = {
  projection_dim: projection,
  text_config: {
    vocab_size: text.vocabSize,
    eos_token_id: 2,
    hidden_size: text.hiddenSize,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    intermediate_size: text.intermediateSize,
    max_position_embeddings: text.maxPositions,
  },
  vision_config: {
    image_size: vision.imageSize,
    patch_size: vision.patchSize,
    hidden_size: vision.hiddenSize,
    num_hidden_layers: vision.layers,
    num_attention_heads: vision.heads,
    intermediate_size: vision.intermediateSize,
  },
};

/** A ViCLIP model that reads eight frames of 28 pixels. */
export const SMALL_VICLIP = resolveViclipConfig({
  video: { imageSize: 28, patchSize: 14, width: 16, layers: 1, heads: 2 },
  text: { vocabSize, maxPositions: 16, width: 16, layers: 1, heads: 2 },
  projection: 12,
});
