import { dispatch, type Float, type Tensor } from "../engine/tensor.ts";
import type { Rng } from "../engine/random.ts";
import { Module } from "./module.ts";
import { fanInUniform } from "./init.ts";
import { withWeight } from "./stored-weight.ts";

/** `y = x·Wᵀ + b` over the last axis. */
export class Linear extends Module {
  readonly weight: Float<"out in">;
  readonly bias: Float<"out"> | null;

  constructor(rng: Rng, inputs: number, outputs: number, { bias = true } = {}) {
    super();
    this.weight = fanInUniform(rng.split("weight"), [outputs, inputs], inputs);
    this.bias = bias ? fanInUniform(rng.split("bias"), [outputs], inputs) : null;
  }

  forward(x: Float<"... in">): Float<"... out"> {
    return linear(x, this.weight, this.bias);
  }
}

/** `x·Wᵀ + b` for weights held elsewhere; the matrix may be stored in half precision, the bias is float32. */
export function linear(
  x: Float<"... in">,
  weight: Float<"out in">,
  bias: Float<"out"> | null,
): Tensor {
  return withWeight(weight, (matrix) => dispatch("aten::linear", x, matrix, bias));
}
