import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { formulaWeights } from "../../../test/support/motion-golden.ts";
import { resolveMotionConfig } from "./config.ts";
import { MotionAdapter } from "./motion-adapter.ts";
import { loadPublicWeights, parsePublicConfig, publicWeights } from "./weights.ts";

describe("publicWeights", () => {
  test.each([
    ["v1", { maxFrames: 24, midBlock: false }, 540, 417_137_600],
    ["v2", {}, 567, 453_209_280],
    ["v3", { midBlock: false }, 540, 417_137_600],
  ])("has exactly the names and shapes of AnimateDiff's %s", (version, input, tensors, values) => {
    const build = (): MotionAdapter => new MotionAdapter(Rng.seed(0), resolveMotionConfig(input));
    const adapter = uninitialised(build);
    const weights = publicWeights(adapter);
    expect(namesOf(weights)).toEqual(listedNames(`motion/names-motion-${version}.tsv`));
    expect(weights.size).toBe(tensors);
    expect(adapter.parameterCount()).toBe(values);
  });
});

describe("loadPublicWeights", () => {
  const small = resolveMotionConfig({ blockOutChannels: [8], layersPerBlock: 1, normGroups: 4 });
  const adapter = new MotionAdapter(Rng.seed(0), small);
  const complete = publicWeights(adapter);

  test("does without tables of positions and without nothing else", () => {
    const weights = formulaWeights(complete);
    expect(() => loadPublicWeights(adapter, weights, "a file")).not.toThrow();
    weights.delete("mid_block.motion_modules.0.proj_in.bias");
    expect(() => loadPublicWeights(adapter, weights, "a file")).toThrow(
      new DataError(
        "a file does not fit this model: 1 tensors missing (mid_block.motion_modules.0.proj_in.bias)",
      ),
    );
  });

  test("names a table for another number of frames", () => {
    const longer = new MotionAdapter(Rng.seed(0), { ...small, maxFrames: 24 });
    expect(() => loadPublicWeights(adapter, publicWeights(longer), "a file")).toThrow(
      /pos_embed\.pe is \[1 24 8\] instead of \[1 32 8\]/,
    );
  });
});

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
