import { dispatch, type Float, type Int } from "../engine/tensor.ts";
import type { Rng } from "../engine/random.ts";
import { Module } from "./module.ts";
import { normalInit } from "./init.ts";

/** One learned vector per index. */
export class Embedding extends Module {
  readonly weight: Float<"count d">;

  constructor(rng: Rng, count: number, features: number, { deviation = 0.02 } = {}) {
    super();
    this.weight = normalInit(rng, [count, features], deviation);
  }

  forward(indices: Int): Float<"... d"> {
    return dispatch("aten::embedding", this.weight, indices);
  }
}
