import { describe, expect, test } from "vitest";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import type { Module } from "../../nn/module.ts";
import { CriticConfig } from "./critic-config.ts";
import { EditCritic, VideoCritic, type Scores } from "./critics.ts";

const vision = new VisionTransformer(
  Rng.seed(1),
  resolveVisionConfig({
    imageSize: 16,
    patchSize: 4,
    width: 32,
    layers: 2,
    heads: 4,
    expansion: 2,
  }),
);
const config = CriticConfig.parse({ depths: [0, 2], channels: 16, heads: 2, textFeatures: 8 });
const editCritic = new EditCritic(Rng.seed(2), vision, config);
const videoCritic = new VideoCritic(Rng.seed(3), vision, config);

/** Two clips of three frames, 16×24, with words. */
const draw = (seed: number): Pixels => normal(Rng.seed(seed), [6, 3, 16, 24]).mul(0.4);
const [output, input] = [draw(4), draw(5)];
const words = normal(Rng.seed(6), [2, 5, 8]);
const otherWords = normal(Rng.seed(7), [2, 5, 8]);

function editScore(frames: Pixels, given = input, instruction: Float = words): Scores {
  const sight = noGrad(() => editCritic.see(given));
  return editCritic.score(editCritic.see(frames), { input: sight, instruction });
}

function videoScore(frames: Pixels, caption: Float = words): Scores {
  return videoCritic.score(videoCritic.see(frames), caption);
}

const rows = (x: Tensor, order: readonly number[]): Tensor =>
  x.indexSelect(0, Tensor.from(order, [order.length], "int64"));

/** Names of the weights that got no gradient, or nothing but zeros. */
function untouched(module: Module): string[] {
  const weights = [...module.parameters()];
  return weights
    .filter(([, { grad }]) => grad === null || grad.abs().max().item() === 0)
    .map(([name]) => name);
}

describe.each([
  { name: "EditCritic", critic: editCritic as Module, score: (x: Pixels) => editScore(x) },
  { name: "VideoCritic", critic: videoCritic as Module, score: (x: Pixels) => videoScore(x) },
])("$name", ({ critic, score }) => {
  test("hands gradients to its heads and to the pixels, and none to the frozen network", () => {
    using _ = tensorScope();
    vision.setTrainable(false);
    critic.setTrainable(true);
    const pixels = output.clone().setRequiresGrad(true);
    score(pixels).square().sum().backward();
    expect(untouched(critic)).toEqual([]);
    expect(untouched(vision)).toHaveLength(vision.parameters().size);
    const perFrame = pixels.grad!.abs().sum([1, 2, 3]).toFloat32Array();
    expect(Math.min(...perFrame)).toBeGreaterThan(0);
    for (const weight of critic.parameters().values()) weight.clearGrad();
    critic.setTrainable(false);
  });

  test("counts nothing of the frozen network among its weights", () => {
    const names = [...critic.parameters().keys()];
    expect(names.every((name) => /^heads\.[01]\./.test(name))).toBe(true);
  });

  test("stays near its float32 self in bf16", () => {
    const rough = autocast("bfloat16", () => score(output));
    expect(rough.dtype).toBe("float32");
    expect(relativeError(rough, score(output))).toBeLessThan(BF16_NETWORK);
  });
});

describe("EditCritic", () => {
  test("gives a score for every frame, head and place", () => {
    expect(editScore(output).shape).toEqual([6, 2, 24]);
  });

  test.each([
    { what: "output frame", changed: () => editScore(draw(9)) },
    { what: "input frame", changed: () => editScore(output, draw(9)) },
    { what: "instruction", changed: () => editScore(output, input, otherWords) },
  ])("depends on its $what", ({ changed }) => {
    expect(largestDifference(changed(), editScore(output))).toBeGreaterThan(0.01);
  });

  test("judges frames one by one: in another order, each gets the same", () => {
    const order = [2, 0, 1, 5, 3, 4];
    const mixed = editScore(rows(output, order), rows(input, order));
    expect(largestDifference(mixed, rows(editScore(output), order))).toBeLessThan(1e-5);
    const changed = Tensor.cat([output.narrow(0, 0, 5), draw(9).narrow(0, 5, 1)], 0);
    const before = editScore(output).narrow(0, 0, 5);
    expect(largestDifference(editScore(changed).narrow(0, 0, 5), before)).toBeLessThan(1e-6);
  });

  test("reads each clip's instruction for its own frames", () => {
    const mixed = Tensor.cat([words.narrow(0, 0, 1), otherWords.narrow(0, 1, 1)], 0);
    const [before, after] = [editScore(output), editScore(output, input, mixed)];
    expect(largestDifference(after.narrow(0, 0, 3), before.narrow(0, 0, 3))).toBeLessThan(1e-6);
    expect(largestDifference(after.narrow(0, 3, 3), before.narrow(0, 3, 3))).toBeGreaterThan(0.01);
  });

  test("brings frames to the side it is told", () => {
    const sized = new EditCritic(Rng.seed(2), vision, { ...config, size: 8 });
    const { tokens, h } = sized.see(output);
    expect([h, ...tokens.map(({ shape }) => shape[1])]).toEqual([2, 4, 4]);
    const means = output.reshape([6, 3, 8, 2, 8, 3]).mean([3, 5]);
    expect(largestDifference(tokens[1]!, editCritic.see(means).tokens[1]!)).toBeLessThan(1e-5);
  });
});

describe("VideoCritic", () => {
  test("gives a score for every clip, head and place of every frame", () => {
    expect(videoScore(output).shape).toEqual([2, 2, 72]);
  });

  test("depends on the caption, and on the frames", () => {
    const before = videoScore(output);
    expect(largestDifference(videoScore(output, otherWords), before)).toBeGreaterThan(0.01);
    expect(largestDifference(videoScore(draw(9)), before)).toBeGreaterThan(0.01);
  });

  test("depends on the order of frames", () => {
    const mean = (scores: Scores): Float<"b"> => scores.mean([1, 2]);
    const reversed = videoScore(rows(output, [2, 1, 0, 5, 4, 3]));
    // the same frames with the same neighbours in time: only the order of time has changed
    expect(largestDifference(mean(reversed), mean(videoScore(output)))).toBeGreaterThan(1e-4);
  });

  test("looks from each frame at the others of its clip, and at no other clip", () => {
    const changed = Tensor.cat(
      [output.narrow(0, 0, 2), draw(9).narrow(0, 2, 1), output.narrow(0, 3, 3)],
      0,
    );
    const [before, after] = [videoScore(output), videoScore(changed)];
    const firstFrame = (scores: Scores): Tensor => scores.select(0, 0).narrow(1, 0, 24);
    expect(largestDifference(firstFrame(after), firstFrame(before))).toBeGreaterThan(1e-3);
    expect(largestDifference(after.select(0, 1), before.select(0, 1))).toBeLessThan(1e-6);
  });
});

test("critics name what does not fit", () => {
  const build = (wrong: object) => () =>
    new EditCritic(Rng.seed(2), vision, { ...config, ...wrong });
  expect(build({ depths: [0, 3] })).toThrow(
    new ConfigError("expected critic depths of at most the vision transformer's 2 layers, got 3"),
  );
  expect(build({ channels: 15 })).toThrow(ConfigError);
  expect(() => videoScore(output.narrow(0, 0, 5))).toThrow(
    new ShapeError("expected as many frames for each of 2 texts, got 5"),
  );
});
