import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ShapeError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { autocast } from "../../engine/settings.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { Clip } from "./clip.ts";
import { resolveClipConfig } from "./config.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

type Activation = "quick_gelu" | "gelu";

function onFormulaWeights(activation: Activation): Clip {
  const config = resolveClipConfig({
    text: {
      vocabSize: 64,
      hiddenSize: 32,
      layers: 2,
      heads: 4,
      intermediateSize: 80,
      maxPositions: 16,
      activation,
    },
    vision: {
      imageSize: 28,
      patchSize: 7,
      hiddenSize: 40,
      layers: 3,
      heads: 5,
      intermediateSize: 96,
      activation,
    },
    projection: 24,
  });
  const clip = new Clip(Rng.seed(0), config);
  const weights = [...publicWeights(clip)].map(([name, { shape }]) => {
    return [name, formulaTensor(name, shape)] as const;
  });
  loadPublicWeights(clip, new Map(weights), "the formula");
  return clip;
}

const stored = loadSafetensors(
  new URL("../../../test/golden/clip/clip.safetensors", import.meta.url).pathname,
);
const ids = stored.get("ids")!;
const pixels = (): Tensor => formulaInput("pixels", [2, 3, 28, 28], 0.9);

describe.each(["quick_gelu", "gelu"] as const)("Clip with %s agrees with transformers", (name) => {
  const clip = onFormulaWeights(name);
  const expected = (what: string): Tensor => stored.get(`${name}.${what}`)!;
  /** The largest difference as a share of the largest expected value: float32 on both sides. */
  const share = (actual: Tensor, what: string): number =>
    largestDifference(actual, expected(what)) / expected(what).abs().max().item();

  test("in the vectors of pictures and texts", () => {
    using _ = tensorScope();
    expect(share(clip.visionModel.forward(pixels()), "pooled")).toBeLessThan(1e-5);
    expect(share(clip.imageFeatures(pixels()), "image")).toBeLessThan(1e-5);
    expect(share(clip.textFeatures(ids), "text")).toBeLessThan(1e-5);
  });

  test("in the scaled cosines between them", () => {
    using _ = tensorScope();
    const direction = (x: Float<"b d">): Float<"b d"> =>
      x.div(x.square().sum([-1], { keepDim: true }).sqrt());
    const cosines = direction(clip.imageFeatures(pixels())).matmul(
      direction(clip.textFeatures(ids)).transpose(0, 1),
    );
    expect(share(cosines.mul(clip.logitScale.exp()), "logits")).toBeLessThan(1e-5);
  });

  test("in the gradient of the pixels", () => {
    using _ = tensorScope();
    const seen = pixels().setRequiresGrad(true);
    const [slope] = gradients(clip.imageFeatures(seen).square().sum(), [seen]);
    expect(share(slope!, "gradient")).toBeLessThan(1e-4);
  });

  test("and stays near its float32 self in bf16", () => {
    using _ = tensorScope();
    const rough = autocast("bfloat16", () => [
      clip.imageFeatures(pixels()),
      clip.textFeatures(ids),
    ]);
    for (const [index, what] of ["image", "text"].entries()) {
      expect(rough[index]!.dtype).toBe("float32");
      expect(relativeError(rough[index]!, expected(what))).toBeLessThan(BF16_NETWORK);
    }
  });
});

describe("Clip", () => {
  const clip = onFormulaWeights("gelu");

  test("reads a text at its first end token, whatever stands behind it", () => {
    using _ = tensorScope();
    const text = (...padding: number[]): Tensor =>
      clip.textFeatures(Tensor.from([62, 7, 9, 63, ...padding], [1, 4 + padding.length], "int64"));
    const alone = text();
    // sums of another length round differently
    expect(largestDifference(text(63, 63), alone)).toBeLessThan(1e-5);
    expect(largestDifference(text(0, 0), alone)).toBeLessThan(1e-5);
  });

  test("refuses pictures of another size", () => {
    expect(() => clip.imageFeatures(Tensor.zeros([1, 3, 28, 35]))).toThrow(
      new ShapeError("expected [_ 3 28 28], got [1 3 28 35]"),
    );
  });
});
