import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { dispatch, type Float, type Int } from "../../engine/tensor.ts";
import { attendCausally } from "../../nn/attention.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import type { TextEncoderConfig } from "./config.ts";
import { LayerStack } from "./encoder-layer.ts";

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
    this.encoder = new LayerStack(rng.split("layers"), config, attendCausally);
    this.finalLayerNorm = new LayerNorm(config.hiddenSize, { eps: config.eps });
    this.config = config;
  }

  /** One vector per token, float32; `n` is at most `maxPositions`. */
  forward(ids: Int<"b n">): Float<"b n d"> {
    return this.finalLayerNorm.forward(this.encoder.forward(this.embeddings.forward(ids)));
  }

  /** One vector per text: that of its first end token, which is the highest id. */
  pooled(hidden: Float<"b n d">, ids: Int<"b n">): Float<"b d"> {
    const { b, d } = dims(hidden, "b n d");
    const ends = ids.argmax(-1).reshape([b, 1, 1]).expand([b, 1, d]);
    return dispatch("aten::gather", hidden, 1, ends).squeeze(1);
  }
}
