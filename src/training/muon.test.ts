import { describe, expect, test } from "vitest";
import { Rng } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import { persist } from "../engine/scope.ts";
import { dispatchMany, Tensor } from "../engine/tensor.ts";
import { copyParameters } from "../nn/module.ts";
import { largestDifference, relativeError } from "../../test/support/difference.ts";
import { formulaTensor } from "../../test/support/formula-weights.ts";
import { Muon, orthogonalised } from "./muon.ts";

const stored = loadSafetensors(
  new URL("../../test/golden/optimizer/muon.safetensors", import.meta.url).pathname,
);

const options = {
  betas: [0.9, 0.99],
  epsilon: 1e-8,
  weightDecay: 0.1,
  precision: "float32",
} as const;
const LEARNING_RATE = 0.02;

/** Shapes, chirp and steps of `test/golden/optimizer/muon.py`. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "square.weight": [48, 48],
  "wide.weight": [32, 96],
  "wider.weight": [32, 96],
  "tall.weight": [96, 40],
  "conv.weight": [40, 8, 3, 3],
  "thin.weight": [16, 64],
  "square.bias": [48],
};
const NAMES = Object.keys(SHAPES);
const SMALL = new Set(["thin.weight", "square.bias"]);
const CHIRP = 0.01;
const STEPS = [0, 1, 2, 3];

type Weights = ReadonlyMap<string, Tensor>;

function startingPoint(names: readonly string[] = NAMES): Map<string, Tensor> {
  return new Map(
    names.map((name) => [
      name,
      persist(formulaTensor(name, SHAPES[name]!, CHIRP)).setRequiresGrad(true),
    ]),
  );
}

/** Leaves the gradients of `step` in the weights as `backward` does. */
function setGradients(weights: Weights, step: number): void {
  for (const [name, weight] of weights) {
    weight.clearGrad();
    const gradient = formulaTensor(`gradient.${step}.${name}`, weight.shape, CHIRP);
    weight.mul(gradient).sum().backward();
  }
}

function take(optimizer: Muon, weights: Weights, steps: readonly number[]): void {
  for (const step of steps) {
    setGradients(weights, step);
    optimizer.update(LEARNING_RATE);
  }
}

/** How far `weight` is from `expected`, as a share of how far that has moved from the start. */
function missed(name: string, weight: Tensor, expected: Tensor): number {
  const start = formulaTensor(name, SHAPES[name]!, CHIRP);
  return relativeError(weight.detach().sub(start), expected.sub(start));
}

describe("Muon", () => {
  test("moves weights as torch.optim.Muon does, and AdamW the small ones", () => {
    const weights = startingPoint();
    const optimizer = new Muon(weights, options);
    take(optimizer, weights, STEPS);
    for (const name of NAMES) {
      // float32 against float64: five iterations amplify rounding of small singular values up to 485 times
      const error = missed(name, weights.get(name)!, stored.get(`exact.${name}`)!);
      expect(error, name).toBeLessThan(1e-4);
      const momentum = stored.get(`momentum.${name}`);
      expect(momentum === undefined, name).toBe(SMALL.has(name));
      if (momentum)
        expect(relativeError(optimizer.moments().get(`momentum.${name}`)!, momentum)).toBeLessThan(
          1e-6, // float32
        );
    }
    expect(optimizer.updates).toBe(STEPS.length);
  });

  test("in bfloat16 is as near to float32 as torch.optim.Muon, which knows nothing else", () => {
    const weights = startingPoint();
    take(new Muon(weights, { ...options, precision: "bfloat16" }), weights, STEPS);
    const matrices = NAMES.filter((name) => !SMALL.has(name));
    const errors = matrices.map((name) =>
      missed(name, weights.get(name)!, stored.get(`bfloat16.${name}`)!),
    );
    // torch's own is 0.009 to 0.022 from float64; on processors without bfloat16 this compares float32
    expect(Math.max(...errors)).toBeLessThan(0.06);
  });

  test("moves each of two matrices that it takes together as it moves it alone", () => {
    const together = startingPoint(["wide.weight", "wider.weight"]);
    take(new Muon(together, options), together, STEPS);
    for (const [name, weight] of together) {
      const alone = startingPoint([name]);
      take(new Muon(alone, options), alone, STEPS);
      // float32: a product of many matrices may be summed in another order
      expect(missed(name, weight, alone.get(name)!.detach()), name).toBeLessThan(1e-5);
    }
  });

  test("remembers one moment of a matrix, and AdamW's two of all else", () => {
    const names = new Muon(startingPoint(), options).moments().keys();
    expect([...names].filter((name) => !name.startsWith("momentum."))).toEqual([
      "mean.thin.weight",
      "square.thin.weight",
      "mean.square.bias",
      "square.square.bias",
    ]);
  });

  test("leaves a matrix with a rate of its own to AdamW", () => {
    const weights = startingPoint(["wide.weight", "tall.weight"]);
    const optimizer = new Muon(weights, { ...options, rates: { "wide.weight": 2 } });
    expect([...optimizer.moments().keys()]).toEqual([
      "momentum.tall.weight",
      "mean.wide.weight",
      "square.wide.weight",
    ]);
  });

  test("goes on from its moments and its count, bit for bit", () => {
    const straight = startingPoint();
    take(new Muon(straight, options), straight, STEPS);
    const first = startingPoint();
    const stopped = new Muon(first, options);
    take(stopped, first, STEPS.slice(0, 2));
    const second = new Map(
      [...first].map(([name, weight]) => [
        name,
        persist(weight.detach().clone()).setRequiresGrad(true),
      ]),
    );
    const resumed = new Muon(second, options);
    copyParameters(resumed.moments(), stopped.moments(), "moments");
    resumed.updates = stopped.updates;
    take(resumed, second, STEPS.slice(2));
    for (const [name, weight] of second)
      expect(weight.toBytes(), name).toEqual(straight.get(name)!.toBytes());
  });

  test("leaves weights without a gradient alone, and counts a step in which any has one", () => {
    const weights = startingPoint();
    const optimizer = new Muon(weights, options);
    optimizer.update(LEARNING_RATE);
    expect(optimizer.updates).toBe(0);
    const used = new Map([...weights].filter(([name]) => name === "tall.weight"));
    take(optimizer, used, [0]);
    expect(optimizer.updates).toBe(1);
    const changed = NAMES.filter((name) => {
      const start = formulaTensor(name, SHAPES[name]!, CHIRP);
      return largestDifference(weights.get(name)!.detach(), start) > 0;
    });
    expect(changed).toEqual(["tall.weight"]);
    optimizer.clearGradients();
    take(optimizer, new Map([...weights].filter(([name]) => name === "square.bias")), [1]);
    expect(optimizer.updates).toBe(2);
  });

  test("clips the gradients of matrices and of the rest by one norm", () => {
    const weights = startingPoint();
    const optimizer = new Muon(weights, options);
    setGradients(weights, 0);
    const squares = [...weights.values()].map(({ grad }) => grad!.norm().item() ** 2);
    const norm = Math.sqrt(squares.reduce((a, b) => a + b));
    expect(optimizer.clipGradients(1)).toBeCloseTo(norm, 4); // float32
    expect(optimizer.clipGradients(0)).toBeCloseTo(1, 5);
  });

  test("refuses weights that are not float32", () => {
    const half = new Map([["h", Tensor.zeros([64, 64], "bfloat16")]]);
    expect(() => new Muon(half, options)).toThrow(/float32 master weights .* h is bfloat16/);
  });
});

describe("an orthogonalised matrix", () => {
  const random = (shape: readonly [number, number, number]): Tensor => {
    const values = Rng.seed(4).normals(shape[0] * shape[1] * shape[2]);
    return Tensor.from(values, shape).mul(30);
  };

  test.each([
    [[3, 32, 96], "float32", 0.6],
    [[2, 96, 40], "float32", 0.6],
    [[1, 48, 64], "float32", 0.6],
    // Processors without bfloat16 round elsewhere than those with it
    [[2, 96, 40], "bfloat16", 0.5],
  ] as const)("of shape %j in %s is about U·Vᵀ", (shape, precision, least) => {
    const matrices = random(shape);
    const made = orthogonalised(matrices, precision);
    const sizes = singularValues(made)[1];
    expect(Math.min(...sizes.toFloat32Array())).toBeGreaterThan(least);
    expect(Math.max(...sizes.toFloat32Array())).toBeLessThan(1.25);
    const [u, , v] = singularValues(matrices);
    // its singular values are that far from 1
    expect(relativeError(made, u.matmul(v))).toBeLessThan(0.35);
  });

  test("of zeros is zero", () => {
    const made = orthogonalised(Tensor.zeros([2, 32, 64]), "float32");
    expect(largestDifference(made, Tensor.zeros([2, 32, 64]))).toBe(0);
  });
});

/** `[U, S, Vᵀ]`, reduced. */
function singularValues(matrices: Tensor): [Tensor, Tensor, Tensor] {
  return dispatchMany("aten::linalg_svd", matrices, false) as [Tensor, Tensor, Tensor];
}
