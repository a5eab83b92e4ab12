import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { attend } from "../../nn/attention.ts";
import { convolve } from "../../nn/conv.ts";
import { fanInUniform, normalInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import { IMAGENET_UNITS, inUnits } from "../vision/pixel-units.ts";
import type { ViclipConfig } from "./config.ts";
import { Transformer } from "./transformer.ts";

/** A convolution whose kernel is one frame deep: the squares of every frame by themselves. */
class PatchConvolution extends Module {
  readonly weight: Float<"d 3 1 p p">;

  constructor(rng: Rng, width: number, side: number) {
    super();
    this.weight = fanInUniform(rng, [width, 3, 1, side, side], 3 * side * side);
  }

  forward(x: Float<"b 3 h w">): Float<"b d h w"> {
    const side = this.weight.shape.at(-1)!;
    return convolve(x, this.weight.squeeze(2), { stride: side });
  }
}

/** ViCLIP's vision transformer: all squares of all frames, and one class token, see each other at once. */
export class VideoEncoder extends Module {
  readonly classEmbedding: Float<"d">;
  readonly positionalEmbedding: Float<"n d">;
  readonly temporalPositionalEmbedding: Float<"1 f d">;
  readonly conv1: PatchConvolution;
  readonly lnPre: LayerNorm;
  readonly transformer: Transformer;
  readonly lnPost: LayerNorm;
  readonly proj: Float<"d p">;
  readonly config: ViclipConfig["video"];

  constructor(rng: Rng, { video, projection }: ViclipConfig) {
    super();
    const { width, imageSize, patchSize, frames } = video;
    const places = (imageSize / patchSize) ** 2 + 1;
    const deviation = width ** -0.5;
    this.classEmbedding = normalInit(rng.split("class"), [width], deviation);
    this.positionalEmbedding = normalInit(rng.split("places"), [places, width], deviation);
    this.temporalPositionalEmbedding = normalInit(rng.split("times"), [1, frames, width], 0.02);
    this.conv1 = new PatchConvolution(rng.split("patches"), width, patchSize);
    this.lnPre = new LayerNorm(width);
    this.transformer = new Transformer(rng.split("transformer"), video, attend);
    this.lnPost = new LayerNorm(width);
    this.proj = normalInit(rng.split("proj"), [width, projection], deviation);
    this.config = video;
  }

  /** One vector per video of exactly `frames` frames, each `imageSize` × `imageSize`; float32, not of length one. */
  forward(pixels: Pixels<"b f 3 h w">): Float<"b d"> {
    const hidden = this.transformer.forward(this.lnPre.forward(this.embed(pixels)));
    return this.lnPost.forward(hidden.select(1, 0)).matmul(this.proj).to("float32");
  }

  /**
   * Tokens with their places in picture and time: the class token, then frame by frame and row by row.
   *
   * The class token has a place in the picture and none in time.
   */
  embed(pixels: Pixels<"b f 3 h w">): Float<"b n d"> {
    const { imageSize, frames } = this.config;
    const { b } = dims(pixels, `b ${frames} 3 ${imageSize} ${imageSize}`);
    const pictures = inUnits(rearrange(pixels, "b f c h w -> (b f) c h w"), IMAGENET_UNITS);
    const patches = rearrange(this.conv1.forward(pictures), "(b f) d h w -> b f (h w) d", { b });
    const { n, d } = dims(patches, "b f n d");
    const times = this.temporalPositionalEmbedding.unsqueeze(2);
    const placed = patches
      .to("float32")
      .add(this.positionalEmbedding.narrow(0, 1, n))
      .add(times);
    const token = this.classEmbedding.add(this.positionalEmbedding.select(0, 0)).expand([b, 1, d]);
    return Tensor.cat([token, rearrange(placed, "b f n d -> b (f n) d")], 1);
  }
}
