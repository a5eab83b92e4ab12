import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { attend } from "../../nn/attention.ts";
import { Conv2d } from "../../nn/conv.ts";
import { Embedding } from "../../nn/embedding.ts";
import { normalInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import { LayerStack } from "../text-encoder/encoder-layer.ts";
import { CLIP_UNITS, inUnits } from "../vision/pixel-units.ts";
import type { ClipVisionConfig } from "./config.ts";

/** Pixel squares to tokens, each with its place, behind a class token. */
class PictureEmbeddings extends Module {
  readonly classEmbedding: Float<"d">;
  readonly patchEmbedding: Conv2d;
  readonly positionEmbedding: Embedding;

  constructor(rng: Rng, { hiddenSize, imageSize, patchSize }: ClipVisionConfig) {
    super();
    const places = (imageSize / patchSize) ** 2 + 1;
    const shape = { kernel: patchSize, stride: patchSize, padding: 0, bias: false };
    this.classEmbedding = normalInit(rng.split("class"), [hiddenSize], hiddenSize ** -0.5);
    this.patchEmbedding = new Conv2d(rng.split("patches"), 3, hiddenSize, shape);
    this.positionEmbedding = new Embedding(rng.split("places"), places, hiddenSize);
  }

  forward(x: Float<"b 3 h w">): Float<"b n d"> {
    const { b } = dims(x, "b 3 _ _");
    const patches = rearrange(this.patchEmbedding.forward(x), "b d h w -> b (h w) d");
    const { d } = dims(patches, "b n d");
    const token = this.classEmbedding.expand([b, 1, d]);
    // float32 from here on: the sums that pass by the layers keep it
    return Tensor.cat([token, patches.to("float32")], 1).add(this.positionEmbedding.weight);
  }
}

/** CLIP's vision transformer: a picture to the vector of its class token. */
export class VisionTower extends Module {
  readonly embeddings: PictureEmbeddings;
  /** Spelled as in public files. */
  readonly preLayrnorm: LayerNorm;
  readonly encoder: LayerStack;
  readonly postLayernorm: LayerNorm;
  readonly config: ClipVisionConfig;

  constructor(rng: Rng, config: ClipVisionConfig) {
    super();
    const { hiddenSize, eps } = config;
    this.embeddings = new PictureEmbeddings(rng.split("embeddings"), config);
    this.preLayrnorm = new LayerNorm(hiddenSize, { eps });
    this.encoder = new LayerStack(rng.split("layers"), config, attend);
    this.postLayernorm = new LayerNorm(hiddenSize, { eps });
    this.config = config;
  }

  /** One vector per picture of `imageSize` × `imageSize`, float32: the class token's, normalised. */
  forward(pixels: Pixels<"b 3 h w">): Float<"b d"> {
    const { imageSize } = this.config;
    dims(pixels, `_ 3 ${imageSize} ${imageSize}`);
    const embedded = this.embeddings.forward(inUnits(pixels, CLIP_UNITS));
    const hidden = this.encoder.forward(this.preLayrnorm.forward(embedded));
    return this.postLayernorm.forward(hidden.select(1, 0));
  }
}
