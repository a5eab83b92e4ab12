import { z } from "zod";
import { networkSize, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";
import { resolveVisionConfig, type VisionConfig } from "./config.ts";

/** What DINO was trained with; its file for transformers says 1e-12, that library's default. */
const DINO_EPS = 1e-6;

const shared = {
  hidden_size: networkSize.default(768),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(12),
  num_channels: z.literal(3).default(3),
  image_size: z.int().default(224),
  hidden_act: z.literal("gelu").default("gelu"),
  qkv_bias: z.literal(true).default(true),
};

// Defaults are those of transformers' Dinov2Config and ViTConfig.
const PublicConfig = z.discriminatedUnion("model_type", [
  z.looseObject({
    model_type: z.literal("dinov2"),
    ...shared,
    mlp_ratio: networkSize.default(4),
    patch_size: z.int().default(14),
    layer_norm_eps: z.number().default(1e-6),
    use_swiglu_ffn: z.literal(false).default(false),
  }),
  z.looseObject({
    model_type: z.literal("vit"),
    ...shared,
    intermediate_size: networkSize.default(3072),
    patch_size: z.int().default(16),
  }),
]);

/** Reads transformers' config.json of a Dinov2Model, or of a ViTModel that holds DINO; refuses what is not built here. */
export function parsePublicConfig(json: unknown): VisionConfig {
  const given = parseConfig(PublicConfig, json, "vision config.json");
  const isDinov2 = given.model_type === "dinov2";
  return resolveVisionConfig({
    imageSize: given.image_size,
    patchSize: given.patch_size,
    width: given.hidden_size,
    layers: given.num_hidden_layers,
    heads: given.num_attention_heads,
    expansion: isDinov2 ? given.mlp_ratio : expansion(given.hidden_size, given.intermediate_size),
    layerScale: isDinov2,
    eps: isDinov2 ? given.layer_norm_eps : DINO_EPS,
  });
}

function expansion(width: number, hidden: number): number {
  if (hidden % width !== 0) {
    throw new ConfigError(
      `expected intermediate_size a multiple of hidden_size in vision config.json, got ${hidden} and ${width}`,
    );
  }
  return hidden / width;
}
