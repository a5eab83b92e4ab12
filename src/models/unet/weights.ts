import { z } from "zod";
import { parseConfig, refuseOtherSettings } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Module, Parameters } from "../../nn/module.ts";
import {
  copyPublicWeights,
  publicWeights as weightsIn,
  snakeCase,
  type PublicLayout,
} from "../public-weights/layout.ts";
import { resolveUNetConfig, type BlockType, type UNetConfig } from "./config.ts";

/** Where public names are not ours in snake case. */
const DIFFERENCES: readonly (readonly [ours: RegExp, theirs: string])[] = [
  [/^timeEmbedding\.linear(\d)/, "time_embedding.linear_$1"],
  [/\.toOut\./, ".to_out.0."],
  [/\.ff\.projIn\./, ".ff.net.0.proj."],
  [/\.ff\.projOut\./, ".ff.net.2."],
];

/** The name that diffusers has for a parameter of a U-Net or of a ControlNet's encoder. */
export function publicName(parameter: string): string {
  const adjusted = DIFFERENCES.reduce(
    (name, [ours, theirs]) => name.replace(ours, theirs),
    parameter,
  );
  return snakeCase(adjusted);
}

/** diffusers' UNet2DConditionModel and ControlNetModel. */
export const UNET_LAYOUT: PublicLayout = { publicName };

/** The weights of `network` under their public names. */
export function publicWeights(network: Module): Parameters {
  return weightsIn(network, UNET_LAYOUT);
}

/** Copies a public checkpoint into `network`; `what` names it in errors. */
export function loadPublicWeights(
  network: Module,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyPublicWeights(network, source, UNET_LAYOUT, what);
}

const DOWN: Readonly<Record<string, BlockType>> = {
  DownBlock2D: "plain",
  CrossAttnDownBlock2D: "crossAttention",
};
const UP: Readonly<Record<string, BlockType>> = {
  UpBlock2D: "plain",
  CrossAttnUpBlock2D: "crossAttention",
};

/** Settings of diffusers' config.json that change the mathematics, and the one value built here. */
const FIXED: Readonly<Record<string, unknown>> = {
  act_fn: "silu",
  addition_embed_type: null,
  attention_type: "default",
  center_input_sample: false,
  class_embed_type: null,
  class_embeddings_concat: false,
  conv_in_kernel: 3,
  conv_out_kernel: 3,
  cross_attention_norm: null,
  downsample_padding: 1,
  dual_cross_attention: false,
  encoder_hid_dim: null,
  encoder_hid_dim_type: null,
  flip_sin_to_cos: true,
  freq_shift: 0,
  mid_block_only_cross_attention: null,
  mid_block_scale_factor: 1,
  mid_block_type: "UNetMidBlock2DCrossAttn",
  num_class_embeds: null,
  only_cross_attention: false,
  resnet_out_scale_factor: 1,
  resnet_skip_time_act: false,
  resnet_time_scale_shift: "default",
  reverse_transformer_layers_per_block: null,
  time_cond_proj_dim: null,
  time_embedding_act_fn: null,
  time_embedding_dim: null,
  time_embedding_type: "positional",
  timestep_post_act: null,
  use_linear_projection: false,
};

const PublicConfig = z.looseObject({
  in_channels: z.int().optional(),
  out_channels: z.int().optional(),
  block_out_channels: z.array(z.int()),
  layers_per_block: z.int().optional(),
  down_block_types: z.array(z.string()),
  up_block_types: z.array(z.string()).optional(),
  cross_attention_dim: z.int(),
  /** Despite its name the number of heads; `num_attention_heads` wins where both are there. */
  attention_head_dim: z.union([z.int(), z.array(z.int())]).optional(),
  num_attention_heads: z.union([z.int(), z.array(z.int())]).nullish(),
  transformer_layers_per_block: z.int().optional(),
  norm_num_groups: z.int().optional(),
  norm_eps: z.number().optional(),
});

function blockTypes(
  names: readonly string[],
  known: Readonly<Record<string, BlockType>>,
): BlockType[] {
  return names.map((name) => {
    const type = known[name];
    if (!type)
      throw new ConfigError(
        `expected block types ${Object.keys(known).join(" and ")}, got ${name}`,
      );
    return type;
  });
}

/** Reads diffusers' config.json of a U-Net or a ControlNet; refuses what is not built here. */
export function parsePublicConfig(json: unknown): UNetConfig {
  const given = parseConfig(PublicConfig, json, "U-Net config.json");
  refuseOtherSettings(given, FIXED);
  const down = blockTypes(given.down_block_types, DOWN);
  const up = given.up_block_types ? blockTypes(given.up_block_types, UP) : down.toReversed();
  const settings = {
    inChannels: given.in_channels,
    outChannels: given.out_channels,
    blockOutChannels: given.block_out_channels,
    layersPerBlock: given.layers_per_block,
    downBlockTypes: down,
    upBlockTypes: up,
    crossAttentionDim: given.cross_attention_dim,
    heads: given.num_attention_heads ?? given.attention_head_dim,
    transformerLayers: given.transformer_layers_per_block,
    normGroups: given.norm_num_groups,
    normEps: given.norm_eps,
  };
  return resolveUNetConfig(
    Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  );
}
