import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { resolveTextEncoderConfig, type TextEncoderConfig } from "./config.ts";
import { TextEncoder } from "./text-encoder.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

const small = resolveTextEncoderConfig({
  vocabSize: 64,
  hiddenSize: 32,
  layers: 2,
  heads: 4,
  intermediateSize: 80,
  maxPositions: 16,
});

function onFormulaWeights(config: TextEncoderConfig): TextEncoder {
  const encoder = new TextEncoder(Rng.seed(0), config);
  const weights = [...publicWeights(encoder)].map(([name, { shape }]) => {
    return [name, formulaTensor(name, shape)] as const;
  });
  loadPublicWeights(encoder, new Map(weights), "the formula");
  return encoder;
}

function golden(): (name: string) => Tensor {
  const path = "../../../test/golden/text-encoder/text-encoder.safetensors";
  const stored = loadSafetensors(new URL(path, import.meta.url).pathname);
  return (name) => {
    const tensor = stored.get(name);
    if (!tensor) throw new Error(`no golden tensor ${name}`);
    return tensor;
  };
}

describe.each(["quick_gelu", "gelu"] as const)(
  "TextEncoder with %s agrees with transformers",
  (activation) => {
    // float32 on both sides; values are about one
    const tolerance = 1e-5;

    test("in its hidden states and its pooled vector", () => {
      const expected = golden();
      const encoder = onFormulaWeights({ ...small, activation });
      const hidden = encoder.forward(expected("ids"));
      expect(largestDifference(hidden, expected(`${activation}.hidden`))).toBeLessThan(tolerance);
      const pooled = encoder.pooled(hidden, expected("ids"));
      expect(largestDifference(pooled, expected(`${activation}.pooled`))).toBeLessThan(tolerance);
    });

    test("in the gradient of a query projection", () => {
      const expected = golden();
      const encoder = onFormulaWeights({ ...small, activation }).setTrainable(true);
      const weight = publicWeights(encoder).get(
        "text_model.encoder.layers.0.self_attn.q_proj.weight",
      );
      const loss = encoder.forward(expected("ids")).square().sum();
      const [found] = gradients(loss, weight ? [weight] : []);
      const reference = expected(`${activation}.gradient`);
      const scale = reference.abs().max().item();
      expect(largestDifference(found ?? loss, reference) / scale).toBeLessThan(1e-3);
    });
  },
);

describe("TextEncoder", () => {
  const ids = Tensor.from([62, 5, 17, 40, 63, 63], [1, 6], "int64");

  test("lets no token see those after it", () => {
    const encoder = new TextEncoder(Rng.seed(0), small);
    const changed = Tensor.from([62, 5, 17, 41, 63, 63], [1, 6], "int64");
    const [before, after] = [encoder.forward(ids), encoder.forward(changed)];
    expect(largestDifference(before.narrow(1, 0, 3), after.narrow(1, 0, 3))).toBe(0);
    expect(largestDifference(before.narrow(1, 3, 3), after.narrow(1, 3, 3))).toBeGreaterThan(1e-3);
  });

  test("stays near its float32 self in bf16, and answers in float32", () => {
    const encoder = new TextEncoder(Rng.seed(0), small);
    const rough = autocast("bfloat16", () => encoder.forward(ids));
    expect(rough.dtype).toBe("float32");
    expect(relativeError(rough, encoder.forward(ids))).toBeLessThan(BF16_NETWORK);
  });

  test("refuses more tokens than it has places", () => {
    const encoder = new TextEncoder(Rng.seed(0), small);
    const long = Tensor.zeros([1, 17], "int64");
    expect(() => encoder.forward(long)).toThrow("expected at most 16 tokens, got 17");
  });

  test("ignores the position buffer of older files and refuses other strangers", () => {
    const encoder = new TextEncoder(Rng.seed(0), small);
    const weights = new Map(publicWeights(encoder));
    weights.set("text_model.embeddings.position_ids", Tensor.arange(16).reshape([1, 16]));
    loadPublicWeights(encoder, weights, "an old file");
    weights.set("text_model.stranger", Tensor.ones([1]));
    expect(() => loadPublicWeights(encoder, weights, "a file")).toThrow("text_model.stranger");
  });

  test("cannot be built from heads that do not divide its width", () => {
    expect(() => resolveTextEncoderConfig({ hiddenSize: 32, heads: 5 })).toThrow(ConfigError);
  });
});
