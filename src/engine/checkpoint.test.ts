import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { noGrad } from "./autodiff.ts";
import { checkpoint, differentiate } from "./checkpoint.ts";
import { onDevice, setDefaultDevice } from "./device.ts";
import { normal, Rng } from "./random.ts";
import { scoped, tensorScope } from "./scope.ts";
import { autocast, engineInfo } from "./settings.ts";
import type { Tensor } from "./tensor.ts";

const rng = Rng.seed(11);
const leaf = (name: string, shape: readonly number[]): Tensor =>
  onDevice("cpu", () => normal(rng.split(name), shape))
    .to("float64")
    .setRequiresGrad(true);

describe("checkpoint", () => {
  const block = (weight: Tensor) => (x: Tensor, y: Tensor) => x.matmul(weight).silu().add(y.sin());

  /** Gradients of one step: of both inputs and of the weight. */
  function gradientsOf(run: (weight: Tensor, x: Tensor, y: Tensor) => Tensor): (Tensor | null)[] {
    const [weight, x, y] = [leaf("weight", [4, 4]), leaf("x", [2, 4]), leaf("y", [2, 4])] as const;
    run(weight, x, y).square().sum().backward();
    return [weight.grad, x.grad, y.grad];
  }

  function expectSame(found: (Tensor | null)[], wanted: (Tensor | null)[]): void {
    found.forEach((gradient, index) => {
      const other = wanted[index];
      expect(gradient && other && largestDifference(gradient, other)).toBe(0);
    });
  }

  test("gives inputs and weights the gradients of plain evaluation", () => {
    const plain = gradientsOf((weight, x, y) => block(weight)(x, y));
    expectSame(
      gradientsOf((weight, x, y) => checkpoint(block(weight), x, y)),
      plain,
    );
  });

  test("nests", () => {
    const twice = (weight: Tensor, x: Tensor, y: Tensor): Tensor =>
      block(weight)(block(weight)(x, y), y);
    const nested = (weight: Tensor, x: Tensor, y: Tensor): Tensor =>
      checkpoint((a, b) => checkpoint(block(weight), checkpoint(block(weight), a, b), b), x, y);
    expectSame(gradientsOf(nested), gradientsOf(twice));
  });

  test("reaches the weights also where no input needs a gradient", () => {
    const x = normal(rng.split("x"), [2, 4]).to("float64");
    const gradient = (run: (weight: Tensor) => Tensor): Tensor | null => {
      const weight = leaf("weight", [4, 4]);
      run(weight).sum().backward();
      return weight.grad;
    };
    const plain = gradient((weight) => block(weight)(x, x));
    const found = gradient((weight) => checkpoint(block(weight), x, x));
    expect(found && plain && largestDifference(found, plain)).toBe(0);
  });

  test("keeps no intermediates, neither forward nor after the backward pass", () => {
    using _ = tensorScope();
    const weight = leaf("weight", [4, 4]);
    const [x, y] = [leaf("x", [2, 4]), leaf("y", [2, 4])];
    const before = engineInfo().liveTensors;
    const output = checkpoint(block(weight), x, y);
    expect(engineInfo().liveTensors).toBe(before + 1);
    output.backward(output.detach());
    // The output, its detached copy, and the two gradients handed back to the graph.
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(before + 4);
  });

  test("repeats the forward pass in the precision it first ran in", () => {
    const seen: string[] = [];
    const x = normal(rng.split("x"), [4, 4]).setRequiresGrad(true);
    const forward = (a: Tensor): Tensor => {
      const product = a.matmul(a);
      seen.push(product.dtype);
      return product.to("float32");
    };
    const output = autocast("bfloat16", () => checkpoint(forward, x));
    output.sum().backward();
    expect(seen).toEqual(["bfloat16", "bfloat16"]);
  });

  /** The backward pass of `depth` checkpoints around each other, whose innermost replay is `fail`. */
  function failingBackward(depth: number, fail: (a: Tensor) => Tensor): () => void {
    let run = 0;
    let step = (a: Tensor): Tensor => (++run > depth ? fail(a) : a.sin());
    for (let i = 0; i < depth; i++) {
      const inner = step;
      step = (a) => checkpoint(inner, a);
    }
    const total = step(leaf("x", [2, 4])).sum();
    return () => total.backward();
  }

  test.each([1, 2])(
    "hands on what its replay throws, %i deep, and the engine works on",
    (depth) => {
      using _ = tensorScope();
      const error = new RangeError("cannot be repeated");
      const backward = failingBackward(depth, () => {
        throw error;
      });
      const before = engineInfo().liveTensors;
      expect(backward).toThrow(error);
      expect(engineInfo().liveTensors).toBe(before);
      const mismatch = failingBackward(depth, (a) => a.matmul(a));
      expect(mismatch).toThrow(/aten::matmul\(.*cannot be multiplied/);
      const x = leaf("x", [2]);
      x.mul(3).sum().backward();
      expect(x.grad?.toFloat32Array()).toEqual(Float32Array.of(3, 3));
    },
  );

  test("is plain evaluation where no graph is recorded", () => {
    const x = leaf("x", [2, 4]);
    const output = noGrad(() => checkpoint((a) => a.mul(2), x));
    expect(output.requiresGrad).toBe(false);
  });
});

describe("a backward pass that cannot call JavaScript, as on a GPU", () => {
  beforeEach(() => setDefaultDevice("cuda:0"));
  afterEach(() => setDefaultDevice("cpu"));

  type Network = (weight: Tensor, x: Tensor, y: Tensor) => Tensor;
  const block = (weight: Tensor) => (x: Tensor, y: Tensor) => x.matmul(weight).silu().add(y.sin());

  function gradientsOf(run: Network): Tensor[] {
    const [weight, x, y] = [leaf("weight", [4, 4]), leaf("x", [2, 4]), leaf("y", [2, 4])] as const;
    differentiate(() => run(weight, x, y).square().sum());
    return [weight, x, y].map(({ grad }) => grad!);
  }

  const chain: Network = (weight, x, y) => block(weight)(block(weight)(x, y), y);
  const cases: readonly [string, Network, Network][] = [
    ["of one piece", (w, x, y) => block(w)(x, y), (w, x, y) => checkpoint(block(w), x, y)],
    [
      "of a chain of pieces",
      chain,
      (w, x, y) => checkpoint(block(w), checkpoint(block(w), x, y), y),
    ],
    [
      "of pieces within a piece",
      chain,
      (w, x, y) => checkpoint((a, b) => checkpoint(block(w), checkpoint(block(w), a, b), b), x, y),
    ],
    [
      "of a piece whose inputs are used beside it, and by another piece",
      (w, x, y) => {
        const h = x.sin();
        return block(w)(h, y).mul(block(w)(y, h)).add(h.square());
      },
      (w, x, y) => {
        const h = x.sin();
        return checkpoint(block(w), h, y)
          .mul(checkpoint(block(w), y, h))
          .add(h.square());
      },
    ],
    [
      "of a piece within a scope that ends before",
      chain,
      (w, x, y) =>
        scoped(() =>
          checkpoint(
            block(w),
            scoped(() => checkpoint(block(w), x, y)),
            y,
          ),
        ),
    ],
  ];

  test.each(cases)("gives the gradients %s all the same", (_, plain, pieces) => {
    const wanted = gradientsOf(plain);
    const found = gradientsOf(pieces);
    // float64; sums of two uses may be taken in another order
    found.forEach((gradient, i) =>
      expect(largestDifference(gradient, wanted[i]!)).toBeLessThan(1e-12),
    );
  });

  test("computes pieces again behind it, the last one first, and keeps nothing", () => {
    using _ = tensorScope();
    const order: string[] = [];
    const named = (name: string) => (a: Tensor) => {
      order.push(name);
      return a.sin();
    };
    const x = leaf("x", [2, 4]);
    const before = engineInfo().liveTensors;
    {
      using _inner = tensorScope();
      differentiate(() => checkpoint(named("second"), checkpoint(named("first"), x)).sum());
    }
    expect(order).toEqual(["first", "second", "second", "first"]);
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(before + 1); // x.grad
  });

  test("lets pass a piece that depends on nothing that learns", () => {
    const [x, fixed] = [leaf("x", [2, 4]), leaf("fixed", [2, 4]).detach()];
    differentiate(() =>
      checkpoint((a) => a.sin(), fixed)
        .mul(x)
        .sum(),
    );
    expect(largestDifference(x.grad!, fixed.sin())).toBe(0);
  });

  test("leaves out a piece that the result does not depend on", () => {
    const x = leaf("x", [2, 4]);
    let runs = 0;
    differentiate(() => {
      checkpoint((a) => {
        runs++;
        return a.sin();
      }, x);
      return x.sum();
    });
    expect(runs).toBe(1);
  });
});
