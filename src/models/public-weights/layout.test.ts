import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { unallocated } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { adoptPublicWeights, publicWeights, type PublicLayout, type WeightType } from "./layout.ts";

class Small extends Module {
  readonly first = new Linear(Rng.seed(1), 3, 2);
  readonly second = new Linear(Rng.seed(2), 2, 2);
}

const layout: PublicLayout = {
  publicName: (parameter) => `net.${parameter}`,
  usualName: (name) => name.replace(".one.", ".first."),
  usualShape: (_, weight) => (weight.shape.length === 3 ? weight.squeeze(2) : weight),
  isIgnored: (name) => name === "net.position_ids",
};

/** A file for `Small`, in float64 or what `change` makes of it. */
function file(change: Readonly<Record<string, Tensor | null>> = {}): Map<string, Tensor> {
  const source = new Map(publicWeights(new Small(), layout));
  for (const [name, tensor] of Object.entries(change)) {
    if (tensor) source.set(name, tensor);
    else source.delete(name);
  }
  return source;
}

function adopted(source: ReadonlyMap<string, Tensor>, weightType?: WeightType): Small {
  const network = unallocated(() => new Small());
  const options = weightType ? { weightType } : {};
  adoptPublicWeights(network, source, layout, { what: "a.safetensors", ...options });
  return network;
}

describe("adoptPublicWeights", () => {
  test("takes tensors under other names and in other shapes, and passes buffers over", () => {
    const weight = Tensor.from([1, 2, 3, 4, 5, 6], [2, 3, 1]);
    const { first } = adopted(
      file({
        "net.first.weight": null,
        "net.one.weight": weight,
        "net.position_ids": Tensor.arange(7),
      }),
    );
    expect(first.weight.shape).toEqual([2, 3]);
    expect([...first.weight.toFloat32Array()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([
    ["stored", "float16", "float16"],
    ["stored", "bfloat16", "bfloat16"],
    ["stored", "float32", "float32"],
    ["stored", "float64", "float32"],
    ["bfloat16", "float16", "bfloat16"],
    ["float32", "float16", "float32"],
  ] as const)("as %s holds matrices of %s in %s, vectors in float32", (wanted, given, held) => {
    const source = new Map([...file()].map(([name, weight]) => [name, weight.to(given)]));
    const { first } = adopted(source, wanted);
    expect(first.weight.dtype).toBe(held);
    expect(first.bias?.dtype).toBe("float32");
  });

  test("shares the memory of tensors that need no change", () => {
    const weight = Tensor.zeros([2, 3]);
    const { first } = adopted(file({ "net.first.weight": weight }));
    weight.copyFrom(Tensor.ones([2, 3]));
    expect(first.weight.sum().item()).toBe(6);
  });

  test("lists everything that does not fit in one sentence, and leaves the network alone", () => {
    const source = file({
      "net.first.bias": null,
      "net.second.weight": Tensor.zeros([2, 5]),
      "net.second.bias": Tensor.zeros([2], "int64"),
      "net.one.weight": Tensor.zeros([2, 3]),
      "net.stranger": Tensor.zeros([1]),
    });
    expect(() => adopted(source)).toThrow(
      new DataError(
        "a.safetensors does not fit this model: 1 tensors missing (net.first.bias); " +
          "1 tensors unexpected (net.stranger); " +
          "1 tensors of another shape (net.second.weight is [2 5] instead of [2 2]); " +
          "1 tensors twice (net.first.weight, also as net.one.weight); " +
          "1 tensors not of floating point (net.second.bias is int64)",
      ),
    );
  });
});
