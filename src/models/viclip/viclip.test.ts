import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { autocast } from "../../engine/settings.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { resolveViclipConfig } from "./config.ts";
import { sampledFrames, Viclip } from "./viclip.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

const config = resolveViclipConfig({
  video: { imageSize: 12, patchSize: 4, frames: 4, width: 32, layers: 3, heads: 4 },
  text: { vocabSize: 64, maxPositions: 8, width: 24, layers: 2, heads: 3 },
  projection: 20,
});

const viclip = new Viclip(Rng.seed(0), config);
loadPublicWeights(
  viclip,
  new Map(
    [...publicWeights(viclip)].map(([name, { shape }]) => [name, formulaTensor(name, shape)]),
  ),
  "the formula",
);
const { visionEncoder, textEncoder } = viclip;

const stored = loadSafetensors(
  new URL("../../../test/golden/viclip/viclip.safetensors", import.meta.url).pathname,
);
const ids = stored.get("ids")!;
const frames = (): Tensor => formulaInput("frames", [2, 4, 3, 12, 12], 0.9);

/** The largest difference as a share of the largest expected value: float32 on both sides. */
function share(actual: Tensor, what: string): number {
  const expected = stored.get(what)!;
  return largestDifference(actual, expected) / expected.abs().max().item();
}

describe("Viclip agrees with its arithmetic in plain torch", () => {
  test("in the tokens of a video with their places", () => {
    using _ = tensorScope();
    expect(share(visionEncoder.embed(frames()), "video.embedded")).toBeLessThan(1e-6);
  });

  test("in one layer", () => {
    using _ = tensorScope();
    const tokens = formulaInput("tokens", [2, 5, 32]);
    const found = visionEncoder.transformer.resblocks[1]!.forward(tokens);
    expect(share(found, "block")).toBeLessThan(1e-5);
  });

  test("in the vectors of videos and texts", () => {
    using _ = tensorScope();
    expect(share(visionEncoder.forward(frames()), "video")).toBeLessThan(1e-5);
    expect(share(textEncoder.forward(ids), "text")).toBeLessThan(1e-5);
  });

  test("in the gradient of the pixels", () => {
    using _ = tensorScope();
    const seen = frames().setRequiresGrad(true);
    const [slope] = gradients(visionEncoder.forward(seen).square().sum(), [seen]);
    expect(share(slope!, "gradient")).toBeLessThan(1e-4);
  });

  test("and stays near it in bf16", () => {
    using _ = tensorScope();
    const [video, text] = autocast("bfloat16", () => [
      visionEncoder.forward(frames()),
      textEncoder.forward(ids),
    ]);
    expect([video.dtype, text.dtype]).toEqual(["float32", "float32"]);
    expect(relativeError(video, stored.get("video")!)).toBeLessThan(BF16_NETWORK);
    expect(relativeError(text, stored.get("text")!)).toBeLessThan(BF16_NETWORK);
  });
});

describe("Viclip", () => {
  test("tells the order of frames, and each video from its neighbour", () => {
    using _ = tensorScope();
    const one = frames().narrow(0, 1, 1);
    const forth = visionEncoder.forward(one);
    expect(largestDifference(forth, visionEncoder.forward(frames()).narrow(0, 1, 1))).toBeLessThan(
      1e-5, // sums of another batch size round differently
    );
    const reversed = one.indexSelect(1, Tensor.from([3, 2, 1, 0], [4], "int64"));
    expect(largestDifference(visionEncoder.forward(reversed), forth)).toBeGreaterThan(1e-3);
  });

  test("reads a text at its end, whatever stands behind it", () => {
    using _ = tensorScope();
    const alone = textEncoder.forward(Tensor.from([62, 7, 9, 63], [1, 4], "int64"));
    const padded = textEncoder.forward(Tensor.from([62, 7, 9, 63, 0, 0, 5, 0], [1, 8], "int64"));
    // sums of another length round differently
    expect(largestDifference(padded, alone)).toBeLessThan(1e-5);
  });

  test("names what does not fit", () => {
    expect(() => visionEncoder.forward(frames().narrow(1, 0, 3))).toThrow(
      new ShapeError("expected [b 4 3 12 12], got [2 3 3 12 12]"),
    );
    expect(() => textEncoder.forward(Tensor.zeros([1, 9], "int64"))).toThrow(
      new ShapeError("expected at most 8 tokens, got 9"),
    );
    expect(() => resolveViclipConfig({ video: { width: 30, layers: 1, heads: 4 } })).toThrow(
      "expected video.width divisible by video.heads, got 30 and 4",
    );
    expect(() =>
      resolveViclipConfig({ video: { patchSize: 15, width: 8, layers: 1, heads: 2 } }),
    ).toThrow(ConfigError);
  });
});

describe("sampledFrames", () => {
  test("takes frames at equal steps from the first", () => {
    expect(sampledFrames(8, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(sampledFrames(32, 8)).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    expect(sampledFrames(39, 8)).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    expect(sampledFrames(15, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("refuses videos that are too short", () => {
    expect(() => sampledFrames(7, 8)).toThrow(
      new ShapeError("expected a video of at least 8 frames for ViCLIP, got 7"),
    );
  });
});
