import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { CopyHead } from "./copy-head.ts";

const shape = { stateChannels: 6, channels: 4, timeChannels: 5, patchSize: 2 };
const input = normal(Rng.seed(1), [3, 4, 8, 8]);
const xt = normal(Rng.seed(2), [3, 4, 8, 8]);
const time = normal(Rng.seed(3), [3, 5]);
const output = normal(Rng.seed(4), [3, 4, 8, 8]);
const state = normal(Rng.seed(5), [3, 6, 4, 4]);
const head = (): CopyHead => new CopyHead(Rng.seed(6), shape);

describe("a copy head", () => {
  test("leaves the output alone at birth, bit for bit", () => {
    expect(largestDifference(head().over({ input, xt, time })(output, state), output)).toBe(0);
  });

  test("says with an open gate what a prediction of the unchanged input would: at pure noise, v = −x0", () => {
    const open = head();
    noGrad(() => open.gate.bias!.copyFrom(Tensor.full([4], 20)));
    const shown = open.over({ input, xt, time })(output, state);
    expect(largestDifference(shown, input.mul(-1))).toBeLessThan(1e-5);
  });

  test("opens its gate place by place of the latent", () => {
    const half = head();
    const bias = Tensor.from([20, 0, 0, 0], [4]);
    noGrad(() => half.gate.bias!.copyFrom(bias));
    const moved = half.over({ input, xt, time })(output, state).sub(output).abs();
    const rows = moved.sum([0, 1, 3]);
    const columns = moved.sum([0, 1, 2]);
    for (const sums of [rows, columns]) {
      const values = [...sums.toFloat32Array()];
      expect(values.filter((_, i) => i % 2 === 0).every((value) => value > 1)).toBe(true);
      expect(values.filter((_, i) => i % 2 === 1)).toEqual([0, 0, 0, 0]);
    }
  });

  test("learns its gate from the first step, and its factors once the gate is open", () => {
    const young = head().setTrainable(true);
    young.over({ input, xt, time })(output, state).square().mean().backward();
    expect(young.gate.weight.grad!.norm().item()).toBeGreaterThan(0);
    expect(young.factors.weight.grad!.norm().item()).toBe(0);
    noGrad(() => young.gate.bias!.copyFrom(Tensor.full([4], 1)));
    young.over({ input, xt, time })(output, state).square().mean().backward();
    expect(young.factors.weight.grad!.norm().item()).toBeGreaterThan(0);
  });
});
