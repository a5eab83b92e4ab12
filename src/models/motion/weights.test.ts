import { describe, expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { resolveMotionConfig } from "./config.ts";
import { parsePublicConfig } from "./weights.ts";

describe("parsePublicConfig", () => {
  const published = {
    _class_name: "MotionAdapter",
    block_out_channels: [320, 640, 1280, 1280],
    motion_activation_fn: "geglu",
    motion_attention_bias: false,
    motion_cross_attention_dim: null,
    motion_layers_per_block: 2,
    motion_max_seq_length: 32,
    motion_mid_block_layers_per_block: 1,
    motion_norm_num_groups: 32,
    motion_num_attention_heads: 8,
    use_motion_mid_block: true,
  };

  test("reads the settings of version 2 as the defaults, with AnimateDiff's normalisation", () => {
    expect(parsePublicConfig(published)).toEqual(resolveMotionConfig({}));
    expect(parsePublicConfig(published).statistics).toBe("frame");
  });

  test("reads those of version 1", () => {
    const first = { ...published, motion_max_seq_length: 24, use_motion_mid_block: false };
    expect(parsePublicConfig(first)).toMatchObject({ maxFrames: 24, midBlock: false });
  });

  test("refuses what no module here computes", () => {
    expect(() => parsePublicConfig({ ...published, conv_in_channels: 9 })).toThrow(
      new ConfigError("expected conv_in_channels null in config.json, got 9"),
    );
    expect(() => parsePublicConfig({ ...published, motion_layers_per_block: "2" })).toThrow(
      ConfigError,
    );
  });
});
