import { Tensor } from "../engine/tensor.ts";
import { parameter, type Module } from "./module.ts";
import { normal, uniform, type Rng } from "../engine/random.ts";
import { scoped } from "../engine/scope.ts";

/** Uniform in ±1/√fanIn: PyTorch's default for linear and convolution weights and biases. */
export function fanInUniform(rng: Rng, shape: readonly number[], fanIn: number): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(scoped(() => uniform(rng, shape).mul(2 * bound).sub(bound)));
}

/** Normal with the given standard deviation. */
export function normalInit(rng: Rng, shape: readonly number[], deviation: number): Tensor {
  return parameter(scoped(() => normal(rng, shape).mul(deviation)));
}

/** Sets every weight of `module` to zero, so that what it adds starts as nothing. */
export function zeroInit<T extends Module>(module: T): T {
  for (const weight of module.parameters().values()) weight.detach().copyFrom(Tensor.zeros(weight.shape));
  return module;
}
