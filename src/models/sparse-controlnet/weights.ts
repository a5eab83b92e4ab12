import { z } from "zod";
import { parseConfig, refuseOtherSettings } from "../../engine/config.ts";
import type { PublicLayout } from "../public-weights/layout.ts";
import type { UNetConfig } from "../unet/config.ts";
import { parsePublicConfig as parseUNetConfig, publicName as unetName } from "../unet/weights.ts";
import { SparseControlConfig } from "./config.ts";

/** The name that diffusers' SparseControlNetModel has for one of our tensors. */
function publicName(parameter: string): string {
  const flat = parameter
    .replace(/^controlNet\./, "")
    .replace(/^motion\.(\d+)\./, "downBlocks.$1.")
    .replace(/^controlnetCondEmbedding\.conv\./, "controlnetCondEmbedding.");
  return unetName(flat);
}

/** diffusers' SparseControlNetModel. */
export const SPARSE_CONTROLNET_LAYOUT: PublicLayout = { publicName };

/** Settings of diffusers' config.json that change the mathematics, and the one value built here. */
const FIXED: Readonly<Record<string, unknown>> = {
  concat_conditioning_mask: true,
  controlnet_conditioning_channel_order: "rgb",
  global_pool_conditions: false,
  transformer_layers_per_mid_block: null,
  use_simplified_condition_embedding: true,
};

const PublicConfig = z.looseObject({
  down_block_types: z.array(z.string()),
  conditioning_channels: z.int().optional(),
  motion_max_seq_length: z.int().optional(),
  motion_num_attention_heads: z.union([z.int(), z.array(z.int())]).optional(),
  temporal_transformer_layers_per_block: z.int().optional(),
});

/**
 * Reads diffusers' config.json of a SparseControlNetModel: the encoder's shape and what is added to it.
 *
 * Refuses what is not built here, the pixel pyramid of SparseCtrl-scribble (`use_simplified_condition_embedding` false)
 * above all.
 */
export function parsePublicConfig(json: unknown): {
  encoder: UNetConfig;
  sparse: SparseControlConfig;
} {
  const given = parseConfig(PublicConfig, json, "SparseControlNet config.json");
  refuseOtherSettings(given, FIXED);
  const imageTypes = given.down_block_types.map((type) => type.replace(/Motion$/, "2D"));
  const motion = {
    maxFrames: given.motion_max_seq_length,
    heads: given.motion_num_attention_heads,
    transformerLayers: given.temporal_transformer_layers_per_block,
  };
  return {
    encoder: parseUNetConfig({ cross_attention_dim: 768, ...given, down_block_types: imageTypes }),
    sparse: parseConfig(
      SparseControlConfig,
      { conditionChannels: given.conditioning_channels, motion },
      "SparseControlNet config",
    ),
  };
}
