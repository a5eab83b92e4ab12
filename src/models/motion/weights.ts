import { z } from "zod";
import { parseConfig, refuseOtherSettings } from "../../engine/config.ts";
import { resolveMotionConfig, type MotionConfig } from "./config.ts";

/** Settings of diffusers' config.json that change the mathematics, and the one value built here. */
const FIXED: Readonly<Record<string, unknown>> = {
  conv_in_channels: null,
  motion_activation_fn: "geglu",
  motion_attention_bias: false,
  motion_cross_attention_dim: null,
  motion_mid_block_layers_per_block: 1,
};

const heads = z.union([z.int(), z.array(z.int())]);
const PublicConfig = z.looseObject({
  block_out_channels: z.array(z.int()).optional(),
  motion_layers_per_block: z.int().optional(),
  motion_transformer_layers_per_block: z.int().optional(),
  motion_max_seq_length: z.int().optional(),
  motion_norm_num_groups: z.int().optional(),
  motion_num_attention_heads: heads.optional(),
  use_motion_mid_block: z.boolean().optional(),
});

/**
 * Reads diffusers' config.json of a MotionAdapter; refuses what is not built here (PIA's own first convolution).
 *
 * `statistics` is no setting of such files: it stays AnimateDiff's.
 */
export function parsePublicConfig(json: unknown): MotionConfig {
  const given = parseConfig(PublicConfig, json, "motion adapter config.json");
  refuseOtherSettings(given, FIXED);
  const settings = {
    blockOutChannels: given.block_out_channels,
    layersPerBlock: given.motion_layers_per_block,
    transformerLayers: given.motion_transformer_layers_per_block,
    maxFrames: given.motion_max_seq_length,
    normGroups: given.motion_norm_num_groups,
    heads: given.motion_num_attention_heads,
    midBlock: given.use_motion_mid_block,
  };
  return resolveMotionConfig(
    Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  );
}
