import { z } from "zod";
import { ConfigError } from "../../engine/errors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import { copyWithPositions, publicWeights as weightsWithPositions } from "../motion/weights.ts";
import type { UNetConfig } from "../unet/config.ts";
import {
  parsePublicConfig as parseUNetConfig,
  publicName as unetName,
  refuseOtherSettings,
} from "../unet/weights.ts";
import { SparseControlConfig } from "./config.ts";
import type { SparseControlNet } from "./sparse-controlnet.ts";

/** The name that diffusers' SparseControlNetModel has for one of our tensors. */
export function publicName(parameter: string): string {
  const flat = parameter
    .replace(/^controlNet\./, "")
    .replace(/^motion\.(\d+)\./, "downBlocks.$1.")
    .replace(/^controlnetCondEmbedding\.conv\./, "controlnetCondEmbedding.");
  return unetName(flat);
}

/** The weights of `network` and its tables of positions under their public names. */
export function publicWeights(network: SparseControlNet): Parameters {
  return weightsWithPositions(network, publicName);
}

/** Copies a public checkpoint, tables of positions included, into `network`; `what` names it in errors. */
export function loadPublicWeights(
  network: SparseControlNet,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyWithPositions(publicWeights(network), source, what);
}

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
  const parsed = PublicConfig.safeParse(json);
  if (!parsed.success)
    throw new ConfigError(`SparseControlNet config.json: ${z.prettifyError(parsed.error)}`);
  const given = parsed.data;
  refuseOtherSettings(given, FIXED);
  const imageTypes = given.down_block_types.map((type) => type.replace(/Motion$/, "2D"));
  const motion = {
    maxFrames: given.motion_max_seq_length,
    heads: given.motion_num_attention_heads,
    transformerLayers: given.temporal_transformer_layers_per_block,
  };
  return {
    encoder: parseUNetConfig({ cross_attention_dim: 768, ...given, down_block_types: imageTypes }),
    sparse: SparseControlConfig.parse({ conditionChannels: given.conditioning_channels, motion }),
  };
}
