import { Tensor, dispatch, type Float } from "../engine/tensor.ts";
import { Module, parameter } from "./module.ts";

/** Group normalisation in float32: bf16 statistics drift. */
export class GroupNorm extends Module {
  readonly weight: Float<"c">;
  readonly bias: Float<"c">;
  readonly #groups: number;
  readonly #eps: number;

  constructor(channels: number, { groups = 32, eps = 1e-5 } = {}) {
    super();
    this.weight = parameter(Tensor.ones([channels]));
    this.bias = parameter(Tensor.zeros([channels]));
    this.#groups = groups;
    this.#eps = eps;
  }

  forward(x: Float<"b c ...">): Float<"b c ..."> {
    return dispatch(
      "aten::group_norm",
      x.to("float32"),
      this.#groups,
      this.weight,
      this.bias,
      this.#eps,
    );
  }
}

/** Layer normalisation over the last axis, in float32. */
export class LayerNorm extends Module {
  readonly weight: Float<"d">;
  readonly bias: Float<"d">;
  readonly #eps: number;

  constructor(features: number, { eps = 1e-5 } = {}) {
    super();
    this.weight = parameter(Tensor.ones([features]));
    this.bias = parameter(Tensor.zeros([features]));
    this.#eps = eps;
  }

  forward(x: Float<"... d">): Float<"... d"> {
    const features = this.weight.shape;
    return dispatch(
      "aten::layer_norm",
      x.to("float32"),
      features,
      this.weight,
      this.bias,
      this.#eps,
    );
  }
}
