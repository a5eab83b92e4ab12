import { describe, expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { resolveUNetConfig } from "./config.ts";
import { UNet } from "./unet.ts";
import { parsePublicConfig, publicWeights } from "./weights.ts";

describe("publicWeights", () => {
  const build = (inChannels: number): UNet => {
    return uninitialised(() => new UNet(Rng.seed(0), resolveUNetConfig({ inChannels })));
  };

  test("has exactly the 686 names and shapes of Stable Diffusion 1.5", () => {
    const unet = build(4);
    expect(namesOf(publicWeights(unet))).toEqual(listedNames("unet/names-sd15.tsv"));
    expect(unet.parameterCount()).toBe(859_520_964);
    expect(publicWeights(unet).size).toBe(686);
  });

  test("has exactly the names and shapes of InstructPix2Pix with eight input channels", () => {
    expect(namesOf(publicWeights(build(8)))).toEqual(listedNames("unet/names-ip2p.tsv"));
  });
});

describe("parsePublicConfig", () => {
  const published = {
    _class_name: "UNet2DConditionModel",
    act_fn: "silu",
    attention_head_dim: 8,
    block_out_channels: [320, 640, 1280, 1280],
    center_input_sample: false,
    cross_attention_dim: 768,
    down_block_types: [
      "CrossAttnDownBlock2D",
      "CrossAttnDownBlock2D",
      "CrossAttnDownBlock2D",
      "DownBlock2D",
    ],
    downsample_padding: 1,
    flip_sin_to_cos: true,
    freq_shift: 0,
    in_channels: 4,
    layers_per_block: 2,
    mid_block_scale_factor: 1,
    norm_eps: 1e-5,
    norm_num_groups: 32,
    out_channels: 4,
    sample_size: 64,
    up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
  };

  test("reads the settings of Stable Diffusion 1.5 as the defaults", () => {
    expect(parsePublicConfig(published)).toEqual(resolveUNetConfig({}));
  });

  test("reads a ControlNet's settings, which have no way up", () => {
    const { up_block_types: _, ...controlnet } = published;
    expect(parsePublicConfig(controlnet)).toEqual(resolveUNetConfig({}));
  });

  test("refuses what this network does not compute", () => {
    expect(() => parsePublicConfig({ ...published, use_linear_projection: true })).toThrow(
      new ConfigError("expected use_linear_projection false in config.json, got true"),
    );
    expect(() =>
      parsePublicConfig({ ...published, down_block_types: ["AttnDownBlock2D"] }),
    ).toThrow(/expected block types DownBlock2D and CrossAttnDownBlock2D, got AttnDownBlock2D/);
  });
});
