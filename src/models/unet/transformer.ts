import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { inTurn, scoped } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import { Attention } from "../../nn/attention.ts";
import { Conv2d } from "../../nn/conv.ts";
import { FeedForward } from "../../nn/feed-forward.ts";
import { Module } from "../../nn/module.ts";
import { GroupNorm, LayerNorm } from "../../nn/norm.ts";
import type { Pass } from "./pass.ts";

/** What a transformer is built from. */
export type TransformerShape = {
  readonly heads: number;
  readonly textChannels: number;
  readonly layers: number;
  readonly expansion: number;
  readonly groups: number;
};

/** Attention among places, attention to the text, a two-layer network: each added to its input. */
export class TransformerBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn1: Attention;
  readonly norm2: LayerNorm;
  readonly attn2: Attention;
  readonly norm3: LayerNorm;
  readonly ff: FeedForward;

  constructor(rng: Rng, channels: number, { heads, textChannels, expansion }: TransformerShape) {
    super();
    this.norm1 = new LayerNorm(channels);
    this.attn1 = new Attention(rng.split("attn1"), { channels, heads });
    this.norm2 = new LayerNorm(channels);
    this.attn2 = new Attention(rng.split("attn2"), {
      channels,
      heads,
      contextChannels: textChannels,
    });
    this.norm3 = new LayerNorm(channels);
    this.ff = new FeedForward(rng.split("ff"), channels, { expansion });
  }

  forward(x: Float<"b n c">, { text, apply }: Pass): Float<"b n c"> {
    const tokens = x.to("float32");
    const mixed = scoped(() =>
      tokens.add(this.attn1.forward(this.norm1.forward(tokens), { apply })),
    );
    const told = scoped(() =>
      mixed.add(this.attn2.forward(this.norm2.forward(mixed), { context: text, apply })),
    );
    return scoped(() => told.add(this.ff.forward(this.norm3.forward(told), apply)));
  }
}

/** Transformer blocks over the places of each image, added to their input. */
export class Transformer extends Module {
  readonly norm: GroupNorm;
  readonly projIn: Conv2d;
  readonly transformerBlocks: readonly TransformerBlock[];
  readonly projOut: Conv2d;

  constructor(rng: Rng, channels: number, shape: TransformerShape) {
    super();
    this.norm = new GroupNorm(channels, { groups: shape.groups, eps: 1e-6 });
    this.projIn = new Conv2d(rng.split("projIn"), channels, channels, { kernel: 1 });
    this.transformerBlocks = Array.from({ length: shape.layers }, (_, i) => {
      return new TransformerBlock(rng.split("block").split(i), channels, shape);
    });
    this.projOut = new Conv2d(rng.split("projOut"), channels, channels, { kernel: 1 });
  }

  forward(x: Float<"b c h w">, pass: Pass): Float<"b c h w"> {
    return scoped(() => {
      const result = scoped(() => this.#add(x, pass));
      return pass.temporal?.behind(this, result) ?? result;
    });
  }

  #add(x: Float<"b c h w">, pass: Pass): Float<"b c h w"> {
    const { h } = dims(x, "_ _ h _");
    const read = inTurn(x, [
      (input) =>
        rearrange(pass.apply(this.projIn, this.norm.forward(input)), "b c h w -> b (h w) c"),
      ...this.transformerBlocks.map((block) => (tokens: Tensor) => block.forward(tokens, pass)),
    ]);
    const update = pass.apply(this.projOut, rearrange(read, "b (h w) c -> b c h w", { h }));
    return x.add(update);
  }
}
