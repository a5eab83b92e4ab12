import { expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { DINO_S16, DINOV2_S14 } from "./config.ts";
import { parsePublicConfig } from "./public-config.ts";

const small = { hidden_size: 384, num_attention_heads: 6, num_hidden_layers: 12 };
const dinov2 = {
  architectures: ["Dinov2Model"],
  model_type: "dinov2",
  ...small,
  image_size: 518,
  layer_norm_eps: 1e-6,
  mlp_ratio: 4,
  patch_size: 14,
};
const dino = {
  architectures: ["ViTModel"],
  model_type: "vit",
  ...small,
  image_size: 224,
  intermediate_size: 1536,
  layer_norm_eps: 1e-12,
  patch_size: 16,
};

test("parsePublicConfig reads DINOv2's file", () => {
  expect(parsePublicConfig(dinov2)).toEqual(DINOV2_S14);
});

test("parsePublicConfig reads DINO's file, whose eps is not DINO's", () => {
  expect(parsePublicConfig(dino)).toEqual(DINO_S16);
});

test("parsePublicConfig says what is not built here", () => {
  const refused = [
    { ...dinov2, use_swiglu_ffn: true },
    { ...dinov2, model_type: "dinov2_with_registers" },
    { ...dino, qkv_bias: false },
    {},
  ];
  for (const json of refused) expect(() => parsePublicConfig(json)).toThrow(ConfigError);
  expect(() => parsePublicConfig({ ...dino, intermediate_size: 1000 })).toThrow(
    "expected intermediate_size a multiple of hidden_size in vision config.json, got 1000 and 384",
  );
});
