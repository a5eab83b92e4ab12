import { z } from "zod";
import { parseConfig, refuseOtherSettings } from "../../engine/config.ts";
import { resolveVaeConfig, type VaeConfig } from "./config.ts";

// Defaults are those of diffusers' AutoencoderKL.
const PublicConfig = z.looseObject({
  in_channels: z.int().default(3),
  out_channels: z.int().default(3),
  latent_channels: z.int().default(4),
  block_out_channels: z.array(z.int()),
  layers_per_block: z.int().default(1),
  norm_num_groups: z.int().default(32),
  scaling_factor: z.number().default(0.18215),
  mid_block_add_attention: z.boolean().default(true),
  use_quant_conv: z.boolean().default(true),
  latents_mean: z.array(z.number()).nullish(),
  latents_std: z.array(z.number()).nullish(),
});

const DOWN = "DownEncoderBlock2D";
const UP = "UpDecoderBlock2D";

/** Reads diffusers' config.json of an AutoencoderKL; refuses what is not built here. */
export function parsePublicConfig(json: unknown): VaeConfig {
  const given = parseConfig(PublicConfig, json, "vae config.json");
  const scales = given.block_out_channels;
  const fixed = {
    act_fn: "silu",
    down_block_types: scales.map(() => DOWN),
    up_block_types: scales.map(() => UP),
    shift_factor: null,
    use_post_quant_conv: given.use_quant_conv,
  };
  refuseOtherSettings(given, fixed, "vae config.json");
  return resolveVaeConfig({
    inChannels: given.in_channels,
    outChannels: given.out_channels,
    latentChannels: given.latent_channels,
    blockOutChannels: scales,
    layersPerBlock: given.layers_per_block,
    normGroups: given.norm_num_groups,
    scalingFactor: given.scaling_factor,
    midAttention: given.mid_block_add_attention,
    quantConv: given.use_quant_conv,
    ...(given.latents_mean && { latentMean: given.latents_mean }),
    ...(given.latents_std && { latentStd: given.latents_std }),
  });
}
