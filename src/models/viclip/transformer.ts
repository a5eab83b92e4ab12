import type { Rng } from "../../engine/random.ts";
import { inTurn } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { Attend } from "../../nn/attention.ts";
import { FusedAttention } from "../../nn/fused-attention.ts";
import { layerSteps } from "../../nn/layer-steps.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import { FeedForward } from "../text-encoder/encoder-layer.ts";

/** One transformer layer, normalised before each part, with CLIP's quick GELU. */
class ResidualBlock extends Module {
  readonly attn: FusedAttention;
  readonly ln1: LayerNorm;
  readonly mlp: FeedForward;
  readonly ln2: LayerNorm;

  constructor(
    rng: Rng,
    { width, heads }: { readonly width: number; readonly heads: number },
    attend: Attend,
  ) {
    super();
    const layers = {
      hiddenSize: width,
      intermediateSize: 4 * width,
      activation: "quick_gelu",
    } as const;
    this.attn = new FusedAttention(rng.split("attn"), { width, heads }, attend);
    this.ln1 = new LayerNorm(width);
    this.mlp = new FeedForward(rng.split("mlp"), layers);
    this.ln2 = new LayerNorm(width);
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const attended = x.add(this.attn.forward(this.ln1.forward(x)));
    return attended.add(this.mlp.forward(this.ln2.forward(attended)));
  }
}

/** ViCLIP's transformer: equal layers, one after the other. */
export class Transformer extends Module {
  readonly resblocks: readonly ResidualBlock[];

  constructor(
    rng: Rng,
    shape: { readonly width: number; readonly layers: number; readonly heads: number },
    attend: Attend,
  ) {
    super();
    this.resblocks = Array.from({ length: shape.layers }, (_, i) => {
      return new ResidualBlock(rng.split(i), shape, attend);
    });
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    return inTurn(x, layerSteps(this.resblocks));
  }
}
