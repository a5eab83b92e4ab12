import { z } from "zod";
import { parseConfig } from "../../engine/config.ts";
import { resolveTextEncoderConfig, type TextEncoderConfig } from "./config.ts";

// Defaults are those of transformers' CLIPTextConfig.
const PublicConfig = z.looseObject({
  vocab_size: z.int().default(49_408),
  hidden_size: z.int().default(512),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(8),
  intermediate_size: z.int().default(2048),
  max_position_embeddings: z.int().default(77),
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
  layer_norm_eps: z.number().default(1e-5),
});

/**
 * Reads transformers' config.json of a CLIPTextModel.
 *
 * The ids of start, end and padding in such files are wrong in public checkpoints: the tokenizer's count.
 */
export function parsePublicConfig(json: unknown): TextEncoderConfig {
  const given = parseConfig(PublicConfig, json, "text_encoder config.json");
  return resolveTextEncoderConfig({
    vocabSize: given.vocab_size,
    hiddenSize: given.hidden_size,
    layers: given.num_hidden_layers,
    heads: given.num_attention_heads,
    intermediateSize: given.intermediate_size,
    maxPositions: given.max_position_embeddings,
    activation: given.hidden_act,
    eps: given.layer_norm_eps,
  });
}
