import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { autocast } from "../../engine/settings.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { resolveVisionConfig } from "./config.ts";
import { VisionTransformer } from "./vision-transformer.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

const shape = {
  imageSize: 16,
  patchSize: 4,
  width: 32,
  layers: 3,
  heads: 4,
  expansion: 2,
} as const;
const small = resolveVisionConfig(shape);

/** Formula weights by the names of transformers' Dinov2Model. */
function transformersWeights(network: VisionTransformer): Map<string, Tensor> {
  const names = [...publicWeights(network)].flatMap(([meta, weight]) => {
    const name = meta
      .replace("cls_token", "embeddings.cls_token")
      .replace("pos_embed", "embeddings.position_embeddings")
      .replace("patch_embed.proj", "embeddings.patch_embeddings.projection")
      .replace("blocks.", "encoder.layer.")
      .replace("attn.proj", "attention.output.dense")
      .replace(/ls([12])\.gamma/, "layer_scale$1.lambda1")
      .replace(/^norm\./, "layernorm.");
    if (!name.includes("attn.qkv")) return [[name, weight.shape] as const];
    const [fused = 0, ...rest] = weight.shape;
    return ["query", "key", "value"].map((role) => {
      return [
        name.replace("attn.qkv", `attention.attention.${role}`),
        [fused / 3, ...rest],
      ] as const;
    });
  });
  return new Map(names.map(([name, sizes]) => [name, formulaTensor(name, sizes)]));
}

function onFormulaWeights(kind: "dino" | "dinov2"): VisionTransformer {
  const config = kind === "dino" ? small : resolveVisionConfig({ ...shape, layerScale: true });
  const network = new VisionTransformer(Rng.seed(0), config);
  const metas = [...publicWeights(network)].map(([name, weight]) => {
    return [name, formulaTensor(name, weight.shape)] as const;
  });
  const weights = kind === "dino" ? new Map(metas) : transformersWeights(network);
  loadPublicWeights(network, weights, "the formula");
  return network;
}

function golden(): (name: string) => Tensor {
  const path = "../../../test/golden/vision/vision.safetensors";
  const stored = loadSafetensors(new URL(path, import.meta.url).pathname);
  return (name) => {
    const tensor = stored.get(name);
    if (!tensor) throw new Error(`no golden tensor ${name}`);
    return tensor;
  };
}

describe.each(["dino", "dinov2"] as const)(
  "VisionTransformer agrees with transformers on %s",
  (kind) => {
    test.each([
      { sides: [16, 16], what: "at the size of its positions" },
      { sides: [12, 24], what: "at another size, which interpolates them" },
    ])("$what, tokens and the gradient of the pixels", ({ sides }) => {
      using _ = tensorScope();
      const expected = golden();
      const network = onFormulaWeights(kind);
      const place = `${kind}.${sides.join("x")}`;
      const pixels = formulaInput("pixels", [2, 3, ...sides], 0.9).setRequiresGrad(true);
      const [patches, middle] = network.features(pixels, [0, 2]);
      // float32 on both sides; values are up to four, gradients up to hundreds
      expect(largestDifference(patches!, expected(`${place}.depth0`))).toBeLessThan(2e-5);
      expect(largestDifference(middle!, expected(`${place}.depth2`))).toBeLessThan(2e-5);
      const tokens = network.forward(pixels);
      expect(largestDifference(tokens, expected(`${place}.tokens`))).toBeLessThan(5e-5);
      const [slope] = gradients(tokens.square().sum(), [pixels]);
      const reference = expected(`${place}.gradient`);
      const scale = reference.abs().max().item();
      expect(largestDifference(slope!, reference) / scale).toBeLessThan(1e-3);
    });
  },
);

describe("VisionTransformer", () => {
  const network = new VisionTransformer(Rng.seed(1), small);
  const pixels = normal(Rng.seed(2), [2, 3, 16, 16]).mul(0.4);

  test("gives a class token and one token per patch, and only the depths asked for", () => {
    const found = network.features(pixels, [3, 0]);
    expect(found.map((tokens) => tokens.shape)).toEqual([
      [2, 17, 32],
      [2, 17, 32],
    ]);
    expect(largestDifference(network.norm.forward(found[0]!), network.forward(pixels))).toBe(0);
  });

  test("sees each picture for itself", () => {
    const alone = network.forward(pixels.narrow(0, 1, 1));
    // sums of another batch size round differently
    expect(largestDifference(alone, network.forward(pixels).narrow(0, 1, 1))).toBeLessThan(1e-5);
  });

  test("stays near its float32 self in bf16", () => {
    const rough = autocast("bfloat16", () => network.forward(pixels));
    expect(rough.dtype).toBe("float32");
    expect(relativeError(rough, network.forward(pixels))).toBeLessThan(BF16_NETWORK);
  });

  test("names what does not fit", () => {
    expect(() => network.forward(pixels.narrow(3, 0, 14))).toThrow(
      new ShapeError("expected sides that are multiples of 4, got 16x14"),
    );
    expect(() => network.features(pixels, [4])).toThrow(
      new ConfigError("expected depths from 0 to 3, got 4"),
    );
    expect(() => resolveVisionConfig({ width: 30, heads: 4 })).toThrow(ConfigError);
    expect(() => resolveVisionConfig({ imageSize: 100 })).toThrow(ConfigError);
  });
});
