import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { inTurn, scoped } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { Attention } from "../../nn/attention.ts";
import { FeedForward } from "../../nn/feed-forward.ts";
import { zeroInit } from "../../nn/init.ts";
import { layerSteps } from "../../nn/layer-steps.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GroupNorm, LayerNorm } from "../../nn/norm.ts";
import type { EncoderMotionConfig } from "./config.ts";
import { FramePositions } from "./frame-positions.ts";

/** What a motion module is built from. */
export type MotionShape = Pick<
  EncoderMotionConfig,
  "maxFrames" | "transformerLayers" | "statistics"
> & {
  readonly heads: number;
  readonly groups: number;
  /** Attentions along time in each block: two in AnimateDiff, one in SparseCtrl. */
  readonly attentions: 1 | 2;
};

/** Attention along time, once or twice, and a two-layer network: each added to its input. */
export class MotionBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn1: Attention;
  readonly norm2: LayerNorm | null;
  readonly attn2: Attention | null;
  readonly norm3: LayerNorm;
  readonly ff: FeedForward;
  readonly posEmbed: FramePositions;

  constructor(rng: Rng, channels: number, { heads, attentions, maxFrames }: MotionShape) {
    super();
    const attention = (name: string): Attention =>
      new Attention(rng.split(name), { channels, heads });
    this.norm1 = new LayerNorm(channels);
    this.attn1 = attention("attn1");
    this.norm2 = attentions === 2 ? new LayerNorm(channels) : null;
    this.attn2 = attentions === 2 ? attention("attn2") : null;
    this.norm3 = new LayerNorm(channels);
    this.ff = new FeedForward(rng.split("ff"), channels);
    this.posEmbed = new FramePositions(maxFrames, channels);
  }

  /** `x` holds one row of frames per place. Both attentions see the positions, the two-layer network does not. */
  forward(x: Float<"b f c">): Float<"b f c"> {
    const tracks = x.to("float32");
    const once = this.#attend(this.norm1, this.attn1, tracks);
    const mixed = this.norm2 && this.attn2 ? this.#attend(this.norm2, this.attn2, once) : once;
    return scoped(() => mixed.add(this.ff.forward(this.norm3.forward(mixed))));
  }

  #attend(norm: LayerNorm, attention: Attention, x: Float<"b f c">): Float<"b f c"> {
    return scoped(() => x.add(attention.forward(this.posEmbed.forward(norm.forward(x)))));
  }
}

/**
 * Transformer blocks along time at every place of a clip, added to their input (AnimateDiff, Guo et al., 2023).
 *
 * The projection on the way out is zero at birth: a fresh module is the identity, bit for bit.
 */
export class MotionModule extends Module {
  readonly norm: GroupNorm;
  readonly projIn: Linear;
  readonly transformerBlocks: readonly MotionBlock[];
  readonly projOut: Linear;
  readonly #statistics: MotionShape["statistics"];

  constructor(rng: Rng, channels: number, shape: MotionShape) {
    super();
    this.norm = new GroupNorm(channels, { groups: shape.groups, eps: 1e-6 });
    this.projIn = new Linear(rng.split("projIn"), channels, channels);
    this.transformerBlocks = Array.from({ length: shape.transformerLayers }, (_, i) => {
      return new MotionBlock(rng.split("block").split(i), channels, shape);
    });
    this.projOut = zeroInit(new Linear(rng.split("projOut"), channels, channels));
    this.#statistics = shape.statistics;
  }

  /** `f` frames of each clip lie beside each other in the batch; the sum stays in float32. */
  forward(h: Float<"(b f) c h w">, f: number): Float<"(b f) c h w"> {
    return scoped(() => this.#add(h, f));
  }

  #add(h: Float<"(b f) c h w">, f: number): Float<"(b f) c h w"> {
    const { h: height, w: width } = dims(h, "_ _ h w");
    const update = inTurn(h, [
      (frames) => this.projIn.forward(this.#tracks(frames, f)),
      ...layerSteps([...this.transformerBlocks, this.projOut]),
    ]);
    return h.add(rearrange(update, "(b h w) f c -> (b f) c h w", { h: height, w: width }));
  }

  /** Normalised, one row of frames per place. */
  #tracks(h: Float<"(b f) c h w">, f: number): Float<"(b h w) f c"> {
    switch (this.#statistics) {
      case "frame":
        return rearrange(this.norm.forward(h), "(b f) c h w -> (b h w) f c", { f });
      case "clip": {
        const clips = rearrange(h, "(b f) c h w -> b c f h w", { f });
        return rearrange(this.norm.forward(clips), "b c f h w -> (b h w) f c");
      }
    }
  }
}
