import { expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { resolveVaeConfig } from "./config.ts";
import { parsePublicConfig } from "./public-config.ts";

const sd15 = {
  _class_name: "AutoencoderKL",
  act_fn: "silu",
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array.from({ length: 4 }, () => "DownEncoderBlock2D"),
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  sample_size: 512,
  up_block_types: Array.from({ length: 4 }, () => "UpDecoderBlock2D"),
};

test("parsePublicConfig reads Stable Diffusion 1.5's file as the defaults", () => {
  expect(parsePublicConfig(sd15)).toEqual(resolveVaeConfig({}));
});

test("parsePublicConfig takes scaling, statistics and missing parts from the file", () => {
  const given = {
    ...sd15,
    scaling_factor: 0.5,
    latents_mean: [0, 1, 2, 3],
    mid_block_add_attention: false,
  };
  const expected = { scalingFactor: 0.5, latentMean: [0, 1, 2, 3], midAttention: false };
  expect(parsePublicConfig(given)).toEqual(resolveVaeConfig(expected));
});

test("parsePublicConfig refuses what is not built here", () => {
  expect(() => parsePublicConfig({ ...sd15, act_fn: "mish" })).toThrow(ConfigError);
  expect(() => parsePublicConfig({ ...sd15, act_fn: "mish" })).toThrow(
    "expected act_fn silu in vae config.json, got mish",
  );
  expect(() => parsePublicConfig({ ...sd15, shift_factor: 0.1 })).toThrow("shift_factor");
  expect(() => parsePublicConfig({ ...sd15, use_quant_conv: false })).not.toThrow();
  expect(() => parsePublicConfig({ ...sd15, use_post_quant_conv: false })).toThrow(
    "use_post_quant_conv",
  );
  expect(() => parsePublicConfig({})).toThrow("block_out_channels");
});
