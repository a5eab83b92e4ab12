import { dims } from "../engine/axes.ts";
import type { Rng } from "../engine/random.ts";
import { Tensor, type Float } from "../engine/tensor.ts";
import { Linear } from "./linear.ts";
import { plainLayer, type ApplyLayer } from "./lora.ts";
import { Module } from "./module.ts";

/**
 * Cosines, then sines, of `t` at frequencies from 1 down to almost 1/10000.
 *
 * `t` is any real number; `features` is even. Stable Diffusion's order (cosine first) and spacing.
 */
export function sinusoids(t: Float<"b">, features: number): Float<"b features"> {
  dims(t, "b");
  const half = features / 2;
  // in float32, as public checkpoints were trained: at t = 999 the rounding of a frequency shows
  const places = Tensor.arange(half, "float32", t.device);
  const frequencies = places.mul(-Math.log(10000)).div(half).exp();
  const angles = t.to("float32").unsqueeze(1).mul(frequencies.unsqueeze(0));
  return Tensor.cat([angles.cos(), angles.sin()], 1);
}

/** Time labels (0 to 999, or between) to a vector, which every ResNet reads behind a SiLU. */
export class TimeEmbedding extends Module {
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly #features: number;

  constructor(rng: Rng, features: number, outputs: number) {
    super();
    this.linear1 = new Linear(rng.split("linear1"), features, outputs);
    this.linear2 = new Linear(rng.split("linear2"), outputs, outputs);
    this.#features = features;
  }

  forward(t: Float<"b">, apply: ApplyLayer = plainLayer): Float<"b e"> {
    return apply(this.linear2, apply(this.linear1, sinusoids(t, this.#features)).silu());
  }
}
