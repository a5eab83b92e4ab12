import { defaultDevice, onDevice } from "../engine/device.ts";
import { dtypeCode } from "../engine/dtype.ts";
import { Tensor, dispatch } from "../engine/tensor.ts";
import { parameter, type Module } from "./module.ts";
import { normal, uniform, type Rng } from "../engine/random.ts";
import { scoped } from "../engine/scope.ts";

let draws = true;

/**
 * Builds networks whose weights are allocated but not drawn: for loading a checkpoint over them.
 *
 * Drawing 860 M values takes minutes; memory that nobody writes costs nothing until it is overwritten.
 */
export function uninitialised<T>(build: () => T): T {
  const before = draws;
  draws = false;
  try {
    return build();
  } finally {
    draws = before;
  }
}

/**
 * Builds networks whose weights have a shape and no memory: for taking a checkpoint's tensors in their place
 * (`adoptParameters`).
 *
 * Nothing can be computed with such a network, and tensors that its constructors make beside weights would stay without
 * memory too: constants belong where they are used.
 */
export function unallocated<T>(build: () => T): T {
  return onDevice("meta", () => uninitialised(build));
}

function initial(shape: readonly number[], draw: () => Tensor): Tensor {
  if (!draws) {
    const code = dtypeCode("float32");
    return parameter(dispatch("aten::empty.memory_format", shape, code, null, defaultDevice()));
  }
  return parameter(scoped(draw));
}

/** Uniform in ±1/√fanIn: PyTorch's default for linear and convolution weights and biases. */
export function fanInUniform(rng: Rng, shape: readonly number[], fanIn: number): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return initial(shape, () =>
    uniform(rng, shape)
      .mul(2 * bound)
      .sub(bound),
  );
}

/** Normal with the given standard deviation. */
export function normalInit(rng: Rng, shape: readonly number[], deviation: number): Tensor {
  return initial(shape, () => normal(rng, shape).mul(deviation));
}

/** Values that a formula gives: left alone, as drawn ones are, where a checkpoint takes their place. */
export function formulaInit(shape: readonly number[], values: () => Float32Array): Tensor {
  return initial(shape, () => Tensor.from(values(), shape));
}

/** Sets every weight of `module` to zero, so that what it adds starts as nothing. */
export function zeroInit<T extends Module>(module: T): T {
  for (const weight of module.parameters().values())
    weight.detach().copyFrom(Tensor.zeros(weight.shape));
  return module;
}
