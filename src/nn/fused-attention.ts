import { rearrange } from "../engine/axes.ts";
import type { Rng } from "../engine/random.ts";
import type { Float } from "../engine/tensor.ts";
import { attend, type Attend } from "./attention.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** Self-attention with queries, keys and values from one matrix, in this order, biases included. */
export class FusedAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly #heads: number;
  readonly #attend: Attend;

  /** `read` is how tokens see each other; default: all of them see all. */
  constructor(
    rng: Rng,
    { width, heads }: { readonly width: number; readonly heads: number },
    read: Attend = attend,
  ) {
    super();
    this.qkv = new Linear(rng.split("qkv"), width, 3 * width);
    this.proj = new Linear(rng.split("proj"), width, width);
    this.#heads = heads;
    this.#attend = read;
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const [q, k, v] = this.qkv
      .forward(x)
      .chunk(3, -1)
      .map((y) => rearrange(y, "b n (a d) -> b a n d", { a: this.#heads }));
    return this.proj.forward(rearrange(this.#attend(q!, k!, v!), "b a n d -> b n (a d)"));
  }
}
