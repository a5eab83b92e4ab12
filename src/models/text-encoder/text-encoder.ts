import { dims, rearrange } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, dispatch, type Float, type Int } from "../../engine/tensor.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import type { TextEncoderConfig } from "./config.ts";

/** Attention of every token to itself and to those before it. */
export class CausalAttention extends Module {
  readonly kProj: Linear;
  readonly vProj: Linear;
  readonly qProj: Linear;
  readonly outProj: Linear;
  readonly #heads: number;

  constructor(rng: Rng, { hiddenSize, heads }: TextEncoderConfig) {
    super();
    this.kProj = new Linear(rng.split("kProj"), hiddenSize, hiddenSize);
    this.vProj = new Linear(rng.split("vProj"), hiddenSize, hiddenSize);
    this.qProj = new Linear(rng.split("qProj"), hiddenSize, hiddenSize);
    this.outProj = new Linear(rng.split("outProj"), hiddenSize, hiddenSize);
    this.#heads = heads;
  }

  forward(x: Float<"b n d">, mask: Float<"n n">): Float<"b n d"> {
    const { d } = dims(x, "b n d");
    const heads = this.#heads;
    const split = (y: Tensor): Tensor => rearrange(y, "b n (a d) -> b a n d", { a: heads });
    const queries = split(this.qProj.forward(x)).mul((d / heads) ** -0.5);
    const keys = split(this.kProj.forward(x)).transpose(2, 3);
    const values = split(this.vProj.forward(x));
    // float32: −∞ of the mask and the softmax want the range
    const weights = queries.matmul(keys).to("float32").add(mask).softmax(-1);
    const read = weights.to(values.dtype).matmul(values);
    return this.outProj.forward(rearrange(read, "b a n d -> b n (a d)"));
  }
}

/** The two-layer network between attentions. */
export class FeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly #isExact: boolean;

  constructor(rng: Rng, { hiddenSize, intermediateSize, activation }: TextEncoderConfig) {
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
export class EncoderLayer extends Module {
  readonly selfAttn: CausalAttention;
  readonly layerNorm1: LayerNorm;
  readonly mlp: FeedForward;
  readonly layerNorm2: LayerNorm;

  constructor(rng: Rng, config: TextEncoderConfig) {
    super();
    const { hiddenSize, eps } = config;
    this.selfAttn = new CausalAttention(rng.split("selfAttn"), config);
    this.layerNorm1 = new LayerNorm(hiddenSize, { eps });
    this.mlp = new FeedForward(rng.split("mlp"), config);
    this.layerNorm2 = new LayerNorm(hiddenSize, { eps });
  }

  forward(x: Float<"b n d">, mask: Float<"n n">): Float<"b n d"> {
    const attended = x.add(this.selfAttn.forward(this.layerNorm1.forward(x), mask));
    return attended.add(this.mlp.forward(this.layerNorm2.forward(attended)));
  }
}

/** Vectors of tokens and of their places. */
export class TextEmbeddings extends Module {
  readonly tokenEmbedding: Embedding;
  readonly positionEmbedding: Embedding;

  constructor(rng: Rng, { vocabSize, maxPositions, hiddenSize }: TextEncoderConfig) {
    super();
    this.tokenEmbedding = new Embedding(rng.split("token"), vocabSize, hiddenSize);
    this.positionEmbedding = new Embedding(rng.split("position"), maxPositions, hiddenSize, {
      deviation: 0.01,
    });
  }

  forward(ids: Int<"b n">): Float<"b n d"> {
    const { n } = dims(ids, "b n");
    const places = this.positionEmbedding.weight;
    const longest = places.shape[0] ?? 0;
    if (n > longest) throw new ShapeError(`expected at most ${longest} tokens, got ${n}`);
    return this.tokenEmbedding.forward(ids).add(places.narrow(0, 0, n));
  }
}

class LayerStack extends Module {
  readonly layers: readonly EncoderLayer[];

  constructor(rng: Rng, config: TextEncoderConfig) {
    super();
    this.layers = Array.from({ length: config.layers }, (_, i) => {
      return new EncoderLayer(rng.split(i), config);
    });
  }
}

/**
 * The text half of CLIP (Radford et al., 2021): what the U-Net reads a caption as.
 *
 * The whole sequence is read, padding included, after the last layer normalisation, as Stable Diffusion does.
 */
export class TextEncoder extends Module {
  readonly embeddings: TextEmbeddings;
  readonly encoder: LayerStack;
  readonly finalLayerNorm: LayerNorm;
  readonly config: TextEncoderConfig;

  constructor(rng: Rng, config: TextEncoderConfig) {
    super();
    this.embeddings = new TextEmbeddings(rng.split("embeddings"), config);
    this.encoder = new LayerStack(rng.split("layers"), config);
    this.finalLayerNorm = new LayerNorm(config.hiddenSize, { eps: config.eps });
    this.config = config;
  }

  /** One vector per token, float32; `n` is at most `maxPositions`. */
  forward(ids: Int<"b n">): Float<"b n d"> {
    const { n } = dims(ids, "b n");
    const mask = causalMask(n, ids.device);
    const embedded = this.embeddings.forward(ids);
    const hidden = this.encoder.layers.reduce((x, layer) => layer.forward(x, mask), embedded);
    return this.finalLayerNorm.forward(hidden);
  }

  /** One vector per text: that of its end token, which is the highest id. */
  pooled(hidden: Float<"b n d">, ids: Int<"b n">): Float<"b d"> {
    const { b, d } = dims(hidden, "b n d");
    const ends = ids.argmax(-1).reshape([b, 1, 1]).expand([b, 1, d]);
    return dispatch("aten::gather", hidden, 1, ends).squeeze(1);
  }
}

/** Zero where a token may look, −∞ at everything after it. */
function causalMask(n: number, device: string): Float<"n n"> {
  return dispatch("aten::triu", Tensor.full([n, n], -Infinity, "float32", device), 1);
}
