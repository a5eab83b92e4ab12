import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { dispatch, type Float, type Int } from "../../engine/tensor.ts";
import { attendCausally } from "../../nn/attention.ts";
import { Embedding } from "../../nn/embedding.ts";
import { normalInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import type { ViclipConfig } from "./config.ts";
import { Transformer } from "./transformer.ts";

/** ViCLIP's text transformer: CLIP's, for shorter texts. */
export class ViclipTextEncoder extends Module {
  readonly positionalEmbedding: Float<"n d">;
  readonly textProjection: Float<"d p">;
  readonly transformer: Transformer;
  readonly tokenEmbedding: Embedding;
  readonly lnFinal: LayerNorm;
  readonly config: ViclipConfig["text"];

  constructor(rng: Rng, { text, projection }: ViclipConfig) {
    super();
    const { width, vocabSize, maxPositions } = text;
    this.positionalEmbedding = normalInit(rng.split("places"), [maxPositions, width], 0.01);
    this.textProjection = normalInit(rng.split("projection"), [width, projection], width ** -0.5);
    this.transformer = new Transformer(rng.split("transformer"), text, attendCausally);
    this.tokenEmbedding = new Embedding(rng.split("tokens"), vocabSize, width);
    this.lnFinal = new LayerNorm(width);
    this.config = text;
  }

  /** One vector per text, read at its first end token, the highest id; float32, not of length one. */
  forward(ids: Int<"b n">): Float<"b d"> {
    const { b, n } = dims(ids, "b n");
    const { width, maxPositions } = this.config;
    if (n > maxPositions) throw new ShapeError(`expected at most ${maxPositions} tokens, got ${n}`);
    const places = this.positionalEmbedding.narrow(0, 0, n);
    const hidden = this.transformer.forward(this.tokenEmbedding.forward(ids).add(places));
    const ends = ids.argmax(-1).reshape([b, 1, 1]).expand([b, 1, width]);
    const read = dispatch("aten::gather", this.lnFinal.forward(hidden), 1, ends).squeeze(1);
    return read.matmul(this.textProjection).to("float32");
  }
}
