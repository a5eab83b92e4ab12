import { describe, expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { persist } from "../engine/scope.ts";
import { AdamW, globalNorm } from "./optimizer.ts";

const options = { betas: [0.9, 0.99], epsilon: 1e-8, weightDecay: 0.05 } as const;

function leaf(values: readonly number[], shape: readonly number[]): Tensor {
  return persist(Tensor.from(values, shape)).setRequiresGrad(true);
}

/** Leaves `gradient` in `weight` as `backward` does. */
function setGradient(weight: Tensor, gradient: readonly number[]): void {
  weight.clearGrad();
  weight.mul(Tensor.from(gradient, weight.shape)).sum().backward();
}

describe("AdamW", () => {
  test("follows the hand-computed trajectory of a decayed weight", () => {
    const weight = leaf([1.5], [1, 1]);
    const optimizer = new AdamW(new Map([["w", weight]]), options);
    // From the formulas in float64: p(1 − ηλ), then p − η·m̂/(√v̂ + ε).
    const expected = [1.392500001, 1.4220982720976054, 1.4286658393024938];
    for (const [step, gradient] of [1, -2, 0.5].entries()) {
      setGradient(weight, [gradient]);
      optimizer.update(0.1);
      expect(weight.item()).toBeCloseTo(expected[step]!, 6); // float32
    }
  });

  test("moves by the learning rate, whatever the size of a constant gradient, and spares biases from decay", () => {
    const bias = leaf([1, 1, 1], [3]);
    const optimizer = new AdamW(new Map([["b", bias]]), options);
    for (let step = 0; step < 3; step++) {
      setGradient(bias, [1e-3, 7, -40]);
      optimizer.update(0.1);
    }
    const [small, large, negative] = bias.toFloat32Array();
    expect(small).toBeCloseTo(0.7, 4);
    expect(large).toBeCloseTo(0.7, 4);
    expect(negative).toBeCloseTo(1.3, 4);
  });

  test("leaves a weight without gradient alone", () => {
    const used = leaf([1], [1]);
    const unused = leaf([1], [1, 1]);
    const optimizer = new AdamW(
      new Map([
        ["used", used],
        ["unused", unused],
      ]),
      options,
    );
    setGradient(used, [1]);
    optimizer.update(0.1);
    expect(unused.item()).toBe(1);
    expect(used.item()).toBeCloseTo(0.9, 6);
  });

  test("moves a weight with a rate of its own by that much more", () => {
    const weights = new Map(["slow", "fast"].map((name) => [name, leaf([1], [])]));
    const optimizer = new AdamW(weights, { ...options, rates: { fast: 20 } });
    for (const weight of weights.values()) setGradient(weight, [3]);
    optimizer.update(0.01);
    expect(weights.get("slow")!.item()).toBeCloseTo(1 - 0.01, 6);
    expect(weights.get("fast")!.item()).toBeCloseTo(1 - 0.2, 6);
  });

  test("refuses weights that are not float32", () => {
    const half = Tensor.zeros([2], "bfloat16");
    expect(() => new AdamW(new Map([["h", half]]), options)).toThrow(
      /float32 master weights .* h is bfloat16/,
    );
  });
});

describe("clipping", () => {
  test("scales all gradients together to the wanted norm and tells the norm before", () => {
    const a = leaf([0, 0], [2]);
    const b = leaf([0], [1]);
    const optimizer = new AdamW(
      new Map([
        ["a", a],
        ["b", b],
      ]),
      options,
    );
    setGradient(a, [3, 4]);
    setGradient(b, [12]);
    expect(optimizer.clipGradients(0)).toBeCloseTo(13, 5);
    expect(optimizer.clipGradients(26)).toBeCloseTo(13, 5);
    expect([...a.grad!.toFloat32Array()]).toEqual([3, 4]);
    expect(optimizer.clipGradients(6.5)).toBeCloseTo(13, 5);
    expect([...a.grad!.toFloat32Array()]).toEqual([1.5, 2]);
    expect(b.grad!.item()).toBeCloseTo(6, 5);
  });

  test("the global norm is that of all elements in one vector", () => {
    expect(globalNorm([Tensor.full([2, 2], 1), Tensor.full([5], 1)])).toBeCloseTo(3, 6);
  });
});
