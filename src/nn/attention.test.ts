import { describe, expect, test } from "vitest";
import { gradients, noGrad } from "../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../engine/errors.ts";
import { Rng, normal } from "../engine/random.ts";
import { autocast, engineInfo } from "../engine/settings.ts";
import { tensorScope } from "../engine/scope.ts";
import { Tensor } from "../engine/tensor.ts";
import { BF16_NETWORK, largestDifference, relativeError } from "../../test/support/difference.ts";
import { Attention, attend, attendCausally, attendInBlocks } from "./attention.ts";

function plainAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const scores = q.matmul(k.transpose(2, 3)).div(Math.sqrt(q.shape.at(-1)!));
  return scores.softmax(-1).matmul(v);
}

describe.each([
  { name: "attend", read: attend },
  { name: "attendInBlocks", read: attendInBlocks },
])("$name", ({ read }) => {
  const draw = (seed: number, n: number): Tensor => normal(Rng.seed(seed), [2, 3, n, 4]);

  test("is softmax(q·kᵀ/√d)·v", () => {
    const [q, k, v] = [draw(1, 5), draw(2, 7), draw(3, 7)];
    expect(largestDifference(read(q, k, v), plainAttention(q, k, v))).toBeLessThan(1e-5);
  });

  test("gives in blocks of queries what it gives at once, gradients too", () => {
    using _ = tensorScope();
    // 1·2·1500·1500 scores are more than are held at once
    const draws = [1, 2, 3].map((seed) => normal(Rng.seed(seed), [1, 2, 1500, 4]));
    const leaves = draws.map((leaf) => leaf.setRequiresGrad(true));
    const found = read(leaves[0]!, leaves[1]!, leaves[2]!);
    const expected = plainAttention(leaves[0]!, leaves[1]!, leaves[2]!);
    expect(largestDifference(found, expected)).toBeLessThan(1e-5);
    const blocked = gradients(found.square().sum(), leaves);
    const whole = gradients(expected.square().sum(), leaves);
    for (const [i, gradient] of blocked.entries()) {
      expect(largestDifference(gradient!, whole[i]!)).toBeLessThan(1e-4);
    }
  });

  test("does not care in which order keys and their values come", () => {
    const [q, k, v] = [draw(1, 5), draw(2, 3), draw(3, 3)];
    const order = Tensor.from([2, 0, 1], [3], "int64");
    const mixed = read(q, k.indexSelect(2, order), v.indexSelect(2, order));
    expect(largestDifference(mixed, read(q, k, v))).toBeLessThan(1e-6);
  });

  test("returns the mean of the values where all keys are alike", () => {
    const v = draw(3, 7);
    const mean = v.mean([2], { keepDim: true }).expand([2, 3, 5, 4]);
    expect(largestDifference(read(draw(1, 5), Tensor.ones([2, 3, 7, 4]), v), mean)).toBeLessThan(
      1e-6,
    );
  });
});

// On libtorch 1.13 both are the same; on 2.x this compares the fused operator.
test("attend and attendInBlocks agree to bf16's precision in bf16", () => {
  const [q, k, v] = [1, 2, 3].map((seed) => normal(Rng.seed(seed), [2, 3, 64, 16]).to("bfloat16"));
  const [found, expected] = [attend(q!, k!, v!), attendInBlocks(q!, k!, v!)];
  expect(found.dtype).toBe("bfloat16");
  expect(relativeError(found, expected)).toBeLessThan(BF16_NETWORK);
});

test("attendInBlocks holds the scores of one block, not of all", () => {
  using _ = tensorScope();
  const [q, k, v] = [1, 2, 3].map((seed) => normal(Rng.seed(seed), [1, 16, 2048, 4]));
  const blocks = (16 * 2048 * 2048) / (4 * 1024 * 1024);
  const before = engineInfo().liveTensors;
  noGrad(() => attendInBlocks(q!, k!, v!));
  // of each block its queries and what they read; of all of them how they were prepared, and joined
  expect(engineInfo().liveTensors - before).toBeLessThanOrEqual(2 * blocks + 11);
});

describe("Attention", () => {
  const attention = new Attention(Rng.seed(1), { channels: 8, heads: 2, contextChannels: 6 });
  const x = normal(Rng.seed(2), [4, 3, 8]);
  const context = normal(Rng.seed(3), [2, 5, 6]);

  test("shares a context among consecutive entries", () => {
    const shared = attention.forward(x, { context });
    const repeated = attention.forward(x, { context: context.repeatInterleave(2, 0) });
    expect(largestDifference(shared, repeated)).toBeLessThan(1e-6);
  });

  test("has the gradient finite differences say it has", () => {
    const direction = normal(Rng.seed(4), [4, 3, 8]);
    const value = (input: Tensor): Tensor => attention.forward(input, { context }).square().sum();
    const step = 1e-2;
    const leaf = x.clone().setRequiresGrad(true);
    const slope = gradients(value(leaf), [leaf])[0]!.mul(direction).sum().item();
    const ahead = value(x.addScaled(direction, step)).item();
    const behind = value(x.addScaled(direction, -step)).item();
    // central differences in float32: the error is of second order in the step
    expect(Math.abs((ahead - behind) / (2 * step) - slope)).toBeLessThan(
      1e-2 * Math.abs(slope) + 1e-3,
    );
  });

  test("takes bf16 and float32 in the same region", () => {
    const mixed = autocast("bfloat16", () => attention.forward(x.to("bfloat16"), { context }));
    expect(relativeError(mixed, attention.forward(x, { context }))).toBeLessThan(BF16_NETWORK);
  });

  test("names what does not fit", () => {
    expect(() => new Attention(Rng.seed(1), { channels: 8, heads: 3 })).toThrow(
      new ConfigError("expected channels divisible by heads, got 8 and 3"),
    );
    expect(() => attention.forward(x.narrow(0, 0, 3), { context })).toThrow(
      new ShapeError("expected a context that divides 3 batch entries, got 2"),
    );
  });
});

describe("attendCausally", () => {
  const draw = (seed: number): Tensor => normal(Rng.seed(seed), [2, 3, 5, 4]);

  test("shows every token what attention over it and those before it shows", () => {
    const [q, k, v] = [draw(1), draw(2), draw(3)];
    const found = attendCausally(q, k, v);
    for (let token = 0; token < 5; token++) {
      const [keys, values] = [k, v].map((x) => x.narrow(2, 0, token + 1));
      const expected = attend(q.narrow(2, token, 1), keys!, values!);
      // float32, summed in another order
      expect(largestDifference(found.narrow(2, token, 1), expected)).toBeLessThan(1e-5);
    }
  });

  test("sends no gradient from a token to those after it", () => {
    using _ = tensorScope();
    const leaves = [draw(1), draw(2), draw(3)].map((leaf) => leaf.setRequiresGrad(true));
    const [q, k, v] = leaves;
    const third = attendCausally(q!, k!, v!).narrow(2, 2, 1);
    const [, ofKeys, ofValues] = gradients(third.square().sum(), leaves);
    for (const slope of [ofKeys!, ofValues!]) {
      expect(slope.narrow(2, 3, 2).abs().max().item()).toBe(0);
      expect(slope.narrow(2, 0, 3).abs().max().item()).toBeGreaterThan(1e-3);
    }
  });
});
