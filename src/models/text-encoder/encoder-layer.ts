import { rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { inTurn } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import type { Attend } from "../../nn/attention.ts";
import { layerSteps } from "../../nn/layer-steps.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import type { TextEncoderConfig } from "./config.ts";

/** What CLIP's transformer layers are built from, those for texts and those for pictures. */
export type LayerShape = Pick<
  TextEncoderConfig,
  "hiddenSize" | "heads" | "intermediateSize" | "activation" | "eps"
>;

/** Attention of the tokens of one sequence to each other. */
class SelfAttention extends Module {
  readonly kProj: Linear;
  readonly vProj: Linear;
  readonly qProj: Linear;
  readonly outProj: Linear;
  readonly #heads: number;
  readonly #attend: Attend;

  constructor(rng: Rng, { hiddenSize, heads }: LayerShape, attend: Attend) {
    super();
    this.kProj = new Linear(rng.split("kProj"), hiddenSize, hiddenSize);
    this.vProj = new Linear(rng.split("vProj"), hiddenSize, hiddenSize);
    this.qProj = new Linear(rng.split("qProj"), hiddenSize, hiddenSize);
    this.outProj = new Linear(rng.split("outProj"), hiddenSize, hiddenSize);
    this.#heads = heads;
    this.#attend = attend;
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const split = (y: Tensor): Tensor => rearrange(y, "b n (a d) -> b a n d", { a: this.#heads });
    const read = this.#attend(
      split(this.qProj.forward(x)),
      split(this.kProj.forward(x)),
      split(this.vProj.forward(x)),
    );
    return this.outProj.forward(rearrange(read, "b a n d -> b n (a d)"));
  }
}

/** The two-layer network between attentions, with CLIP's quick GELU or the exact one. */
export class FeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly #isExact: boolean;

  constructor(
    rng: Rng,
    {
      hiddenSize,
      intermediateSize,
      activation,
    }: Pick<LayerShape, "hiddenSize" | "intermediateSize" | "activation">,
  ) {
    super();
    this.fc1 = new Linear(rng.split("fc1"), hiddenSize, intermediateSize);
    this.fc2 = new Linear(rng.split("fc2"), intermediateSize, hiddenSize);
    this.#isExact = activation === "gelu";
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const hidden = this.fc1.forward(x);
    return this.fc2.forward(this.#isExact ? hidden.gelu() : quickGelu(hidden));
  }
}

function quickGelu(x: Float): Float {
  return x.mul(x.mul(1.702).sigmoid());
}

/** One transformer layer, normalised before each part. */
class EncoderLayer extends Module {
  readonly selfAttn: SelfAttention;
  readonly layerNorm1: LayerNorm;
  readonly mlp: FeedForward;
  readonly layerNorm2: LayerNorm;

  constructor(rng: Rng, shape: LayerShape, attend: Attend) {
    super();
    const { hiddenSize, eps } = shape;
    this.selfAttn = new SelfAttention(rng.split("selfAttn"), shape, attend);
    this.layerNorm1 = new LayerNorm(hiddenSize, { eps });
    this.mlp = new FeedForward(rng.split("mlp"), shape);
    this.layerNorm2 = new LayerNorm(hiddenSize, { eps });
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const attended = x.add(this.selfAttn.forward(this.layerNorm1.forward(x)));
    return attended.add(this.mlp.forward(this.layerNorm2.forward(attended)));
  }
}

/** CLIP's transformer: equal layers, one after the other. */
export class LayerStack extends Module {
  readonly layers: readonly EncoderLayer[];

  constructor(rng: Rng, shape: LayerShape & { readonly layers: number }, attend: Attend) {
    super();
    this.layers = Array.from({ length: shape.layers }, (_, i) => {
      return new EncoderLayer(rng.split(i), shape, attend);
    });
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    return inTurn(x, layerSteps(this.layers));
  }
}
