import { dispatch, type Float, type Int } from "../engine/tensor.ts";
import type { Rng } from "../engine/random.ts";
import { Module } from "./module.ts";
import { normalInit } from "./init.ts";
import { isHalf } from "./stored-weight.ts";

/** One learned vector per index. */
export class Embedding extends Module {
  readonly weight: Float<"count d">;

  constructor(rng: Rng, count: number, features: number, { deviation = 0.02 } = {}) {
    super();
    this.weight = normalInit(rng, [count, features], deviation);
  }

  /** The vectors in float32, whatever the type they are stored in. */
  forward(indices: Int): Float<"... d"> {
    const vectors = dispatch("aten::embedding", this.weight, indices);
    return isHalf(this.weight) ? vectors.to("float32") : vectors;
  }
}
