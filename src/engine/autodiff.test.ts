import { describe, expect, onTestFinished, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { enableGrad, gradients, noGrad, watchGradient } from "./autodiff.ts";
import { checkpoint } from "./checkpoint.ts";
import { setDefaultDevice } from "./device.ts";
import { normal, Rng } from "./random.ts";
import { tensorScope } from "./scope.ts";
import { autocast, engineInfo } from "./settings.ts";
import { dispatch, type Tensor } from "./tensor.ts";

const rng = Rng.seed(11);
const leaf = (name: string, shape: readonly number[]): Tensor =>
  normal(rng.split(name), shape).to("float64").setRequiresGrad(true);

/** The largest error of the gradient of `f` at `x` against central differences. */
function gradientError(f: (x: Tensor) => Tensor, x: Tensor): number {
  const step = 1e-5;
  const point = x.detach();
  const [found] = gradients(f(x), [x]);
  const values = new Float64Array(point.toBytes());
  const errors = [...new Float64Array(found?.toBytes() ?? [])].map((derivative, index) => {
    const at = (offset: number): number => {
      const flat = point.clone().reshape([-1]);
      flat.narrow(0, index, 1).copyFrom(
        flat
          .narrow(0, index, 1)
          .mul(0)
          .add((values[index] ?? NaN) + offset),
      );
      return f(flat.reshape(point.shape)).item();
    };
    return Math.abs(derivative - (at(step) - at(-step)) / (2 * step));
  });
  return errors.length === point.size ? Math.max(...errors) : Infinity;
}

describe("gradients", () => {
  const weight = normal(rng.split("kernel"), [3, 2, 3, 3]).to("float64");
  const scale = normal(rng.split("scale"), [2]).to("float64");
  const cases: { name: string; f: (x: Tensor) => Tensor }[] = [
    {
      name: "conv2d",
      f: (x) => dispatch("aten::conv2d", x, weight, null, [1], [1]).square().sum(),
    },
    {
      name: "group_norm",
      f: (x) => dispatch("aten::group_norm", x, 2, scale, null, 1e-5).pow(3).sum(),
    },
    { name: "silu and gelu", f: (x) => x.silu().mul(x.gelu()).sum() },
    { name: "softmax", f: (x) => x.softmax(-1).mul(x).sum() },
    { name: "matmul and transpose", f: (x) => x.matmul(x.transpose(-1, -2)).sin().sum() },
    {
      name: "narrow, permute and mean",
      f: (x) => x.narrow(1, 0, 1).permute([0, 3, 2, 1]).exp().mean(),
    },
  ];
  test.each(cases)("of $name are what finite differences say", ({ f }) => {
    expect(gradientError(f, leaf("x", [1, 2, 3, 3]))).toBeLessThan(1e-7);
  });

  test("take a seed, and are null where nothing depends on the input", () => {
    const x = leaf("x", [2]);
    const other = leaf("other", [2]);
    const seed = normal(rng.split("seed"), [2]).to("float64");
    const [found, none] = gradients(x.mul(3), [x, other], { seed });
    expect(found && largestDifference(found, seed.mul(3))).toBe(0);
    expect(none).toBeNull();
  });

  test("can be differentiated again", () => {
    const x = leaf("x", [3]);
    const [first] = gradients(x.pow(3).sum(), [x], { createGraph: true });
    const [second] = first ? gradients(first.sum(), [x]) : [];
    expect(second && largestDifference(second, x.mul(6))).toBeLessThan(1e-12);
  });

  test("accumulate in leaves until they are cleared", () => {
    const x = leaf("x", [2]);
    x.mul(2).sum().backward();
    x.mul(3).sum().backward();
    expect(x.grad?.toFloat32Array()).toEqual(Float32Array.of(5, 5));
    x.clearGrad();
    expect(x.grad).toBeNull();
  });
});

describe("noGrad", () => {
  test("records nothing, enableGrad inside it does, and the mode comes back", () => {
    const x = leaf("x", [2]);
    noGrad(() => {
      expect(x.mul(2).requiresGrad).toBe(false);
      enableGrad(() => expect(x.mul(2).requiresGrad).toBe(true));
      expect(x.mul(2).requiresGrad).toBe(false);
    });
    expect(() => noGrad(() => dispatch("aten::no_such_thing"))).toThrow(/no operator/);
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  test("does not cost weights their gradient when both happen in one autocast region", () => {
    const x = normal(rng.split("x"), [4, 4]);
    const weight = normal(rng.split("weight"), [4, 4]).setRequiresGrad(true);
    autocast("bfloat16", () => {
      noGrad(() => x.matmul(weight));
      expect(x.matmul(weight).requiresGrad).toBe(true);
      noGrad(() => enableGrad(() => expect(x.matmul(weight).requiresGrad).toBe(true)));
    });
  });
});

describe("watchGradient", () => {
  test("tells the gradient that comes through, and leaves it and the values as they are", () => {
    const x = leaf("watched", [3, 4]);
    const [plain] = gradients(x.square().sum(), [x]);
    const told: number[] = [];
    const seen = watchGradient(x, (gradient) => told.push(gradient.norm().item()));
    expect(largestDifference(seen, x)).toBe(0);
    const [found] = gradients(seen.square().sum(), [x]);
    expect(largestDifference(found!, plain!)).toBe(0);
    expect(told).toEqual([plain!.norm().item()]);
  });

  test("tells apart what comes from each of several uses", () => {
    const x = leaf("watched twice", [5]);
    const told: Record<string, number> = {};
    const by = (name: string): Tensor =>
      watchGradient(x, (gradient) => (told[name] = gradient.abs().max().item()));
    by("three").mul(3).sum().add(by("five").mul(5).sum()).backward();
    expect(told).toEqual({ three: 3, five: 5 });
    expect(x.grad!.mean().item()).toBe(8);
  });

  test("is nothing where nothing is recorded, and leaves no tensor behind", () => {
    const x = leaf("unwatched", [2]);
    const { liveTensors } = engineInfo();
    noGrad(() => expect(watchGradient(x, () => expect.fail())).toBe(x));
    const step = (): void => {
      using _ = tensorScope();
      watchGradient(x, () => {})
        .sum()
        .backward();
    };
    step();
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(liveTensors + 1); // x.grad
  });
});

describe("where backward passes cannot call JavaScript, as on a GPU", () => {
  test("nothing is recomputed and nobody is told, and the gradients are the same", () => {
    const x = leaf("elsewhere", [3, 4]);
    const [wanted] = gradients(x.sin().sum(), [x]);
    setDefaultDevice("cuda:0");
    onTestFinished(() => setDefaultDevice("cpu"));
    let calls = 0;
    const sine = (y: Tensor): Tensor => {
      calls++;
      return y.sin();
    };
    const seen = watchGradient(x, () => expect.fail());
    const [found] = gradients(checkpoint(sine, seen).sum(), [x]);
    expect(calls).toBe(1);
    expect(largestDifference(found!, wanted!)).toBe(0);
  });
});
