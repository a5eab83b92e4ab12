import { describe, expect, onTestFinished, test, vi } from "vitest";
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
import type { Linear } from "../../nn/linear.ts";
import type { Module } from "../../nn/module.ts";
import { CriticConfig } from "./critic-config.ts";
import { EditCritic, VideoCritic, type Scores, type Sight } from "./critics.ts";

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

/** The same sight with other tokens at one of its depths: at all places, or at one. */
function otherwise(sight: Sight, depth: number, place?: number): Sight {
  const tokens = [...sight.tokens];
  const changed = tokens[depth]!.clone();
  const part = place === undefined ? changed : changed.narrow(1, place, 1);
  part.copyFrom(normal(Rng.seed(8), part.shape));
  tokens[depth] = changed;
  return { ...sight, tokens };
}

/** Where scores of one head differ: the numbers of places. */
function places(one: Scores, other: Scores, head = 0): number[] {
  const differs = one.sub(other).abs().select(1, head).sum([0]);
  return [...differs.toFloat32Array()].flatMap((by, place) => (by > 1e-6 ? [place] : []));
}

/** Nothing comes out of `layer` any more. */
function silence({ weight, bias }: Linear): void {
  weight.copyFrom(Tensor.zeros(weight.shape));
  bias?.copyFrom(Tensor.zeros(bias.shape));
}

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

describe("the heads", () => {
  const seen = { output: editCritic.see(output), input: editCritic.see(input) };
  const edit = (changes: Partial<typeof seen> = {}, critic = editCritic): Scores => {
    const { output: drawn, input: given } = { ...seen, ...changes };
    return critic.score(drawn, { input: given, instruction: words });
  };
  const video = (sight: Sight, critic = videoCritic): Scores => critic.score(sight, words);
  const all = (count: number): number[] => Array.from({ length: count }, (_, place) => place);
  /** The places of a frame of 4 × 6, row by row, that are at most two rows and columns from `middle`. */
  const around = (middle: number): number[] =>
    all(24).filter((place) => {
      const down = Math.abs(Math.floor(place / 6) - Math.floor(middle / 6));
      return down <= 2 && Math.abs((place % 6) - (middle % 6)) <= 2;
    });

  test("read patches with the class token added, row by row, at the depths of the config", () => {
    expect(seen.output.h).toBe(4);
    vision.features(output, config.depths).forEach((tokens, k) => {
      const patches = tokens.narrow(1, 1, 24).add(tokens.narrow(1, 0, 1));
      expect(largestDifference(seen.output.tokens[k]!, patches)).toBe(0);
    });
  });

  test("read each a depth of its own, and begin apart", () => {
    for (const depth of [0, 1]) {
      for (const name of ["output", "input"] as const) {
        const changed = edit({ [name]: otherwise(seen[name], depth) });
        expect(places(changed, edit(), depth), name).toEqual(all(24));
        expect(places(changed, edit(), 1 - depth), name).toEqual([]);
      }
      const clip = video(otherwise(seen.output, depth));
      expect(places(clip, video(seen.output), depth)).toEqual(all(72));
      expect(places(clip, video(seen.output), 1 - depth)).toEqual([]);
    }
    for (const { heads } of [editCritic, videoCritic]) {
      const [one, other] = heads.map(({ judge }) => judge.toScore.weight);
      expect(largestDifference(one!, other!)).toBeGreaterThan(0.01);
    }
  });

  test("read everywhere what any place shows, before and after the edit", () => {
    for (const name of ["output", "input"] as const)
      expect(places(edit({ [name]: otherwise(seen[name], 0, 0) }), edit()), name).toEqual(all(24));
    expect(places(video(otherwise(seen.output, 0, 0)), video(seen.output))).toEqual(all(72));
  });

  test("look at the two rows and columns around a place, where attention is silent", () => {
    const deaf = new EditCritic(Rng.seed(2), vision, config);
    for (const { judge } of deaf.heads) silence(judge.merge.toOut);
    for (const name of ["output", "input"] as const) {
      const changed = edit({ [name]: otherwise(seen[name], 0, 8) }, deaf);
      expect(places(changed, edit({}, deaf)), name).toEqual(around(8));
    }
    const still = new VideoCritic(Rng.seed(3), vision, config);
    for (const { judge, temporal } of still.heads)
      for (const { toOut } of [judge.merge, temporal]) silence(toOut);
    const changed = video(otherwise(seen.output, 0, 15), still);
    const wanted = [0, 24, 48].flatMap((frame) => around(15).map((place) => frame + place));
    expect(places(changed, video(seen.output, still))).toEqual(wanted);
  });

  test("score a place by its features and by how they agree with its condition", () => {
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const { judge } = editCritic.heads[0]!;
    const merge = vi.spyOn(judge.merge, "forward");
    const linear = vi.spyOn(judge.toScore, "forward");
    const found = edit().select(1, 0);
    const [condition, features] = [merge.mock.results[0]!.value as Float, linear.mock.calls[0]![0]];
    const agreement = features.mul(condition).sum([-1]).div(Math.sqrt(config.channels));
    const wanted = (linear.mock.results[0]!.value as Float).squeeze(-1).add(agreement);
    expect(largestDifference(found, wanted)).toBeLessThan(1e-6);
    expect(agreement.abs().max().item()).toBeGreaterThan(0.01);
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
