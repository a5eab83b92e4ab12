import { expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { resolveTextEncoderConfig } from "./config.ts";
import { parsePublicConfig } from "./public-config.ts";

const sd15 = {
  architectures: ["CLIPTextModel"],
  bos_token_id: 0,
  eos_token_id: 2,
  hidden_act: "quick_gelu",
  hidden_size: 768,
  intermediate_size: 3072,
  layer_norm_eps: 1e-5,
  max_position_embeddings: 77,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  vocab_size: 49_408,
};

test("parsePublicConfig reads Stable Diffusion 1.5's file as the defaults", () => {
  expect(parsePublicConfig(sd15)).toEqual(resolveTextEncoderConfig({}));
});

test("parsePublicConfig refuses an activation that is not built here", () => {
  expect(() => parsePublicConfig({ ...sd15, hidden_act: "relu" })).toThrow(ConfigError);
  expect(() => parsePublicConfig({ ...sd15, hidden_act: "relu" })).toThrow("hidden_act");
});
