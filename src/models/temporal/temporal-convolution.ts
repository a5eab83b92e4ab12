import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import type { Float } from "../../engine/tensor.ts";
import { zeroInit } from "../../nn/init.ts";
import { Conv1d } from "../../nn/conv.ts";
import { Module } from "../../nn/module.ts";

/**
 * A 1-D convolution along time, separately at every place (Emu Video, §3.2).
 *
 * Deviation: the identity kernel of the paper is kept as `h + conv(h)` with a zero kernel: the same functions, and
 * the layer is the identity at birth bit for bit, in bf16 too.
 */
export class TemporalConvolution extends Module {
  readonly conv: Conv1d;

  constructor(rng: Rng, channels: number, kernel: number) {
    super();
    this.conv = zeroInit(new Conv1d(rng, channels, channels, { kernel }));
  }

  forward(h: Float<"(b f) c h w">, f: number): Float<"(b f) c h w"> {
    const { h: height } = dims(h, "_ _ h _");
    const clips = rearrange(h, "(b f) c h w -> b c f (h w)", { f });
    return h.add(rearrange(this.conv.forward(clips), "b c f (h w) -> (b f) c h w", { h: height }));
  }
}
