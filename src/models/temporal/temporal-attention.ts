import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { Attention } from "../../nn/attention.ts";
import { FeedForward } from "../../nn/feed-forward.ts";
import { zeroInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import { sinusoids } from "../../nn/time-embedding.ts";

/**
 * Attention along time, separately at every place, and a two-layer network: each added to its input.
 *
 * The last layer of both starts at zero, so that the block is the identity until it is trained.
 */
export class TemporalAttention extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly norm2: LayerNorm;
  readonly ff: FeedForward;
  readonly #channels: number;

  constructor(
    rng: Rng,
    channels: number,
    { heads, expansion }: { heads: number; expansion: number },
  ) {
    super();
    this.norm1 = new LayerNorm(channels);
    this.attn = new Attention(rng.split("attn"), { channels, heads });
    this.norm2 = new LayerNorm(channels);
    this.ff = new FeedForward(rng.split("ff"), channels, { expansion });
    zeroInit(this.attn.toOut);
    zeroInit(this.ff.projOut);
    this.#channels = channels;
  }

  forward(h: Float<"(b f) c h w">, f: number): Float<"(b f) c h w"> {
    const { h: height, w: width } = dims(h, "_ _ h w");
    const tracks = rearrange(h, "(b f) c h w -> (b h w) f c", { f });
    const places = sinusoids(Tensor.arange(f, "float32", h.device), this.#channels);
    const mixed = tracks.add(this.attn.forward(this.norm1.forward(tracks).add(places)));
    const result = mixed.add(this.ff.forward(this.norm2.forward(mixed)));
    return rearrange(result, "(b h w) f c -> (b f) c h w", { h: height, w: width });
  }
}
