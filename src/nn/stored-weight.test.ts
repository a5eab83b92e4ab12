import { describe, expect, test } from "vitest";
import { noGrad } from "../engine/autodiff.ts";
import { Rng, normal } from "../engine/random.ts";
import { tensorScope } from "../engine/scope.ts";
import { autocast, engineInfo } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { Conv1d, Conv2d } from "./conv.ts";
import { Embedding } from "./embedding.ts";
import { Linear } from "./linear.ts";
import { adoptParameters, type Module, type Parameters } from "./module.ts";

/** The matrices of `network` in another data type, its vectors as they are. */
function rounded(network: Module, dtype: "float16" | "bfloat16" | "float32"): Parameters {
  const weights = [...network.parameters()].map(
    ([name, weight]) => [name, weight.shape.length > 1 ? weight.to(dtype) : weight] as const,
  );
  return new Map(weights);
}

const rng = Rng.seed(1);
const LAYERS = [
  {
    name: "Linear",
    build: () => new Linear(rng, 6, 5),
    run: (layer: Module, x: Tensor) => (layer as Linear).forward(x),
    x: normal(rng, [3, 6]),
  },
  {
    name: "Conv2d",
    build: () => new Conv2d(rng, 2, 4),
    run: (layer: Module, x: Tensor) => (layer as Conv2d).forward(x),
    x: normal(rng, [1, 2, 5, 5]),
  },
  {
    name: "Conv1d",
    build: () => new Conv1d(rng, 2, 4),
    run: (layer: Module, x: Tensor) => (layer as Conv1d).forward(x),
    x: normal(rng, [1, 2, 7, 3]),
  },
  {
    name: "Embedding",
    build: () => new Embedding(rng, 9, 4),
    run: (layer: Module, x: Tensor) => (layer as Embedding).forward(x),
    x: Tensor.from([0, 8, 3], [3], "int64"),
  },
] as const;
const cases = LAYERS.flatMap((layer) =>
  (["float16", "bfloat16"] as const).map((dtype) => ({ ...layer, dtype })),
);

describe.each(cases)("$name with its matrix in $dtype", ({ build, run, x, dtype }) => {
  const layer = build();
  const exact = build();
  const half = rounded(layer, dtype);
  adoptParameters(layer, half, "the half");
  adoptParameters(exact, rounded(layer, "float32"), "the float32");

  test("computes in float32 what the rounded matrix means, exactly", () => {
    const found = run(layer, x);
    expect(found.dtype).toBe("float32");
    expect(largestDifference(found, run(exact, x))).toBe(0);
  });

  test("computes in the type of the enclosing region", () => {
    const [found, wanted] = autocast("bfloat16", () => [run(layer, x), run(exact, x)]);
    expect(found.dtype).toBe(wanted.dtype);
    expect(largestDifference(found, wanted)).toBe(0);
  });
});

test("a matrix in half precision leaves no copy behind in the caller's scope", () => {
  const exact = new Linear(rng, 6, 5);
  const half = new Linear(rng, 6, 5);
  adoptParameters(half, rounded(half, "float16"), "the half");
  const x = normal(rng, [3, 6]);
  const added = (layer: Linear): number => {
    using _ = tensorScope();
    const before = engineInfo().liveTensors;
    noGrad(() => layer.forward(x));
    return engineInfo().liveTensors - before;
  };
  expect(added(exact)).toBe(1);
  expect(added(half)).toBe(1);
});

test("gradients pass through a matrix in float16", () => {
  const layer = new Linear(rng, 6, 5);
  adoptParameters(layer, rounded(layer, "float16"), "the half");
  const x = normal(rng, [3, 6]).setRequiresGrad(true);
  layer.forward(x).sum().backward();
  const expected = layer.weight.to("float32").sum([0]).expand([3, 6]);
  // sums of five values below 1
  expect(largestDifference(x.grad!, expected)).toBeLessThan(1e-6);
});
