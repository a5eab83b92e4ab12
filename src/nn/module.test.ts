import { describe, expect, test } from "vitest";
import { DataError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import { Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { unallocated } from "./init.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./norm.ts";
import { Module, adoptParameters, copyParameters } from "./module.ts";
import { ModuleMap } from "./module-map.ts";

class Small extends Module {
  readonly layers = [new Linear(Rng.seed(1), 3, 2), new Linear(Rng.seed(2), 2, 2)];
  readonly norm = new LayerNorm(2);
  /** Parts under keys with dots, as adapters hold them. */
  readonly adapters = new ModuleMap(
    new Map([["layers.0", new Linear(Rng.seed(3), 1, 1, { bias: false })]]),
  );

  forward(x: Tensor): Tensor {
    return this.norm.forward(this.layers.reduce((h, layer) => layer.forward(h), x));
  }
}

const names = [
  "layers.0.weight",
  "layers.0.bias",
  "layers.1.weight",
  "layers.1.bias",
  "norm.weight",
  "norm.bias",
  "adapters.layers.0.weight",
];

describe("adoptParameters", () => {
  test("gives a network without memory the tensors themselves", () => {
    const trained = new Small();
    const network = unallocated(() => new Small());
    expect([...network.parameters().keys()]).toEqual(names);
    expect([...network.parameters().values()].every(({ device }) => device === "meta")).toBe(true);
    adoptParameters(network, trained.parameters(), "a file");
    const x = Tensor.from([1, -2, 3], [1, 3]);
    expect(largestDifference(network.forward(x), trained.forward(x))).toBe(0);
    trained.layers[0]!.weight.detach().copyFrom(Tensor.zeros([2, 3]));
    expect(network.layers[0]!.weight.norm().item()).toBe(0);
  });

  test("keeps the data type of what it is given", () => {
    const network = unallocated(() => new Small());
    const half = [...new Small().parameters()].map(
      ([name, weight]) => [name, weight.to("float16")] as const,
    );
    adoptParameters(network, new Map(half), "a file");
    expect([...network.parameters().values()].every(({ dtype }) => dtype === "float16")).toBe(true);
  });
});

describe.each([
  [
    "adoptParameters",
    (network: Small, source: Map<string, Tensor>) =>
      adoptParameters(network, source, "a.safetensors"),
  ],
  [
    "copyParameters",
    (network: Small, source: Map<string, Tensor>) =>
      copyParameters(network.parameters(), source, "a.safetensors"),
  ],
] as const)("%s", (_, take) => {
  test("lists all faults in one sentence and changes nothing then", () => {
    const network = new Small();
    const before = network.norm.weight;
    const source = new Map(new Small().parameters());
    source.set("norm.weight", Tensor.zeros([2]));
    source.set("layers.0.weight", Tensor.zeros([2, 4]));
    source.delete("layers.1.bias");
    for (let i = 0; i < 7; i++) source.set(`stranger.${i}`, Tensor.zeros([1]));
    expect(() => take(network, source)).toThrow(
      new DataError(
        "a.safetensors does not fit this model: 1 tensors missing (layers.1.bias); " +
          "7 tensors unexpected (stranger.0, stranger.1, stranger.2, stranger.3, stranger.4, …); " +
          "1 tensors of another shape (layers.0.weight is [2 4] instead of [2 3])",
      ),
    );
    expect(network.norm.weight).toBe(before);
    expect(network.norm.weight.norm().item()).toBeCloseTo(Math.SQRT2, 6);
  });
});
