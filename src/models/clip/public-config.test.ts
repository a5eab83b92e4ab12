import { expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { CLIP_H14, CLIP_L14, resolveClipConfig } from "./config.ts";
import { parsePublicConfig } from "./public-config.ts";

const text = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 };
const vision = {
  hidden_size: 1024,
  intermediate_size: 4096,
  num_attention_heads: 16,
  num_hidden_layers: 24,
  patch_size: 14,
};
const l14 = {
  architectures: ["CLIPModel"],
  logit_scale_init_value: 2.6592,
  projection_dim: 768,
  text_config: { ...text, eos_token_id: 2, projection_dim: 768, hidden_act: "quick_gelu" },
  vision_config: { ...vision, image_size: 224 },
};

test("parsePublicConfig reads L/14's file", () => {
  expect(parsePublicConfig(l14)).toEqual(CLIP_L14);
});

test("parsePublicConfig reads H/14's file, whose sections have a wrong projection", () => {
  const h14 = {
    projection_dim: 1024,
    text_config: {
      hidden_act: "gelu",
      hidden_size: 1024,
      intermediate_size: 4096,
      num_attention_heads: 16,
      num_hidden_layers: 24,
      projection_dim: 512,
    },
    text_config_dict: null,
    vision_config: {
      ...vision,
      hidden_act: "gelu",
      hidden_size: 1280,
      intermediate_size: 5120,
      num_hidden_layers: 32,
      projection_dim: 512,
    },
    vision_config_dict: null,
  };
  expect(parsePublicConfig(h14)).toEqual(CLIP_H14);
});

test("parsePublicConfig lets the sections of older files count", () => {
  const old = { ...l14, text_config: { hidden_size: 64 }, text_config_dict: text };
  expect(parsePublicConfig({ ...old, vision_config: null, vision_config_dict: vision })).toEqual(
    CLIP_L14,
  );
});

test("parsePublicConfig says what is not built here", () => {
  const withText = (changes: object): unknown => ({ ...l14, text_config: { ...text, ...changes } });
  expect(() => parsePublicConfig(withText({ hidden_act: "relu" }))).toThrow("hidden_act");
  expect(() => parsePublicConfig(withText({ vocab_size: 49_500 }))).toThrow(
    "expected eos_token_id 49499 (the highest id) or 2 in clip config.json, got 49407",
  );
  expect(() => parsePublicConfig({ vision_config: { num_channels: 4 } })).toThrow(ConfigError);
  expect(() => parsePublicConfig(null)).toThrow(ConfigError);
});

test("resolveClipConfig refuses what no model can be built from", () => {
  expect(() => resolveClipConfig({ vision: { heads: 3 } })).toThrow(
    "expected vision.hiddenSize divisible by vision.heads, got 1024 and 3",
  );
  expect(() => resolveClipConfig({ vision: { patchSize: 15 } })).toThrow(
    "expected vision.imageSize divisible by vision.patchSize, got 224 and 15",
  );
  expect(() => resolveClipConfig({ text: { heads: 7 } })).toThrow(ConfigError);
});
