import type { Rng } from "../engine/random.ts";
import { scoped } from "../engine/scope.ts";
import type { Float } from "../engine/tensor.ts";
import { Linear } from "./linear.ts";
import { plainLayer, type ApplyLayer } from "./lora.ts";
import { Module } from "./module.ts";

/** A two-layer network with GEGLU (Shazeer, 2020): one half gates the other. */
export class FeedForward extends Module {
  readonly projIn: Linear;
  readonly projOut: Linear;

  constructor(rng: Rng, channels: number, { expansion = 4 } = {}) {
    super();
    this.projIn = new Linear(rng.split("projIn"), channels, 2 * expansion * channels);
    this.projOut = new Linear(rng.split("projOut"), expansion * channels, channels);
  }

  forward(x: Float<"... d">, apply: ApplyLayer = plainLayer): Float<"... d"> {
    const gated = scoped(() => {
      // chunks, not slices: their gradients are joined by one copy
      const [value, gate] = apply(this.projIn, x).chunk(2, -1);
      return value!.mul(gate!.gelu());
    });
    return apply(this.projOut, gated);
  }
}
