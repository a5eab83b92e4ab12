import { dims, rearrange } from "../../engine/axes.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import { Tensor, dispatch, type Float, type Pixels } from "../../engine/tensor.ts";
import { Conv2d } from "../../nn/conv.ts";
import { FusedAttention } from "../../nn/fused-attention.ts";
import { normalInit } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Module, parameter } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import type { VisionConfig } from "./config.ts";
import { IMAGENET_UNITS, inUnits } from "./pixel-units.ts";

/** Added to the number of patches along a side where positions are interpolated, as DINO's code does. */
const POSITION_OFFSET = 0.1;

/** The two-layer network between attentions. */
export class FeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(rng: Rng, { width, expansion }: VisionConfig) {
    super();
    this.fc1 = new Linear(rng.split("fc1"), width, expansion * width);
    this.fc2 = new Linear(rng.split("fc2"), expansion * width, width);
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    return this.fc2.forward(this.fc1.forward(x).gelu());
  }
}

/** A learned gain per feature; one at birth, so that it changes nothing until it is trained or loaded. */
class LayerScale extends Module {
  readonly gamma: Float<"d">;

  constructor(features: number) {
    super();
    this.gamma = parameter(Tensor.ones([features]));
  }

  forward(x: Float<"... d">): Float<"... d"> {
    return x.mul(this.gamma);
  }
}

/** One transformer layer, normalised before each part. */
export class VisionBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn: FusedAttention;
  readonly ls1: LayerScale | null;
  readonly norm2: LayerNorm;
  readonly mlp: FeedForward;
  readonly ls2: LayerScale | null;

  constructor(rng: Rng, config: VisionConfig) {
    super();
    const { width, eps, layerScale } = config;
    this.norm1 = new LayerNorm(width, { eps });
    this.attn = new FusedAttention(rng.split("attn"), config);
    this.ls1 = layerScale ? new LayerScale(width) : null;
    this.norm2 = new LayerNorm(width, { eps });
    this.mlp = new FeedForward(rng.split("mlp"), config);
    this.ls2 = layerScale ? new LayerScale(width) : null;
  }

  forward(x: Float<"b n d">): Float<"b n d"> {
    const read = this.attn.forward(this.norm1.forward(x));
    const attended = x.add(this.ls1 ? this.ls1.forward(read) : read);
    const update = this.mlp.forward(this.norm2.forward(attended));
    return attended.add(this.ls2 ? this.ls2.forward(update) : update);
  }
}

/** Pixel squares to tokens. */
class PatchEmbedding extends Module {
  readonly proj: Conv2d;

  constructor(rng: Rng, { width, patchSize }: VisionConfig) {
    super();
    const shape = { kernel: patchSize, stride: patchSize, padding: 0 };
    this.proj = new Conv2d(rng, 3, width, shape);
  }

  forward(x: Float<"b 3 h w">): Float<"b d h w"> {
    return this.proj.forward(x);
  }
}

/**
 * A vision transformer in DINO's layout (Caron et al., 2021; Oquab et al., 2023): a class token, then one token
 * per square of pixels, row by row, each with a learned place.
 *
 * It is what the critics see pictures with: frozen there, while gradients pass through it to the pixels.
 */
export class VisionTransformer extends Module {
  readonly clsToken: Float<"1 1 d">;
  readonly posEmbed: Float<"1 n d">;
  readonly patchEmbed: PatchEmbedding;
  readonly blocks: readonly VisionBlock[];
  readonly norm: LayerNorm;
  readonly config: VisionConfig;

  constructor(rng: Rng, config: VisionConfig) {
    super();
    const { width, layers, imageSize, patchSize, eps } = config;
    const places = (imageSize / patchSize) ** 2 + 1;
    this.clsToken = normalInit(rng.split("class"), [1, 1, width], 0.02);
    this.posEmbed = normalInit(rng.split("places"), [1, places, width], 0.02);
    this.patchEmbed = new PatchEmbedding(rng.split("patches"), config);
    this.blocks = Array.from({ length: layers }, (_, i) => {
      return new VisionBlock(rng.split("blocks").split(i), config);
    });
    this.norm = new LayerNorm(width, { eps });
    this.config = config;
  }

  /** All tokens after the last normalisation, the class token first; sides are multiples of the patch. */
  forward(pixels: Pixels<"b 3 h w">): Float<"b n d"> {
    return this.norm.forward(this.features(pixels, [this.config.layers])[0]!);
  }

  /**
   * All tokens, the class token first, at each of `depths`, before any last normalisation.
   *
   * A depth counts the layers passed: 0 is the patches with their places. Nothing behind the deepest is computed.
   */
  features(pixels: Pixels<"b 3 h w">, depths: readonly number[]): Float<"b n d">[] {
    const { layers } = this.config;
    const wrong = depths.find((depth) => !Number.isInteger(depth) || depth < 0 || depth > layers);
    if (wrong !== undefined)
      throw new ConfigError(`expected depths from 0 to ${layers}, got ${wrong}`);
    const states = [this.#embed(pixels)];
    for (const block of this.blocks.slice(0, Math.max(...depths)))
      states.push(scoped(() => block.forward(states.at(-1)!)));
    return depths.map((depth) => states[depth]!);
  }

  #embed(pixels: Pixels<"b 3 h w">): Float<"b n d"> {
    const { b, h, w } = dims(pixels, "b 3 h w");
    const { patchSize, width } = this.config;
    if (h % patchSize !== 0 || w % patchSize !== 0) {
      throw new ShapeError(`expected sides that are multiples of ${patchSize}, got ${h}x${w}`);
    }
    const patches = this.patchEmbed.forward(inUnits(pixels, IMAGENET_UNITS));
    const tokens = rearrange(patches, "b d h w -> b (h w) d").to("float32");
    const all = Tensor.cat([this.clsToken.expand([b, 1, width]), tokens], 1);
    return all.add(this.#placesFor(h / patchSize, w / patchSize));
  }

  /** Learned places for `h` × `w` patches: bicubic between those learned, which are a square. */
  #placesFor(h: number, w: number): Float<"1 n d"> {
    const side = this.config.imageSize / this.config.patchSize;
    if (h === side && w === side) return this.posEmbed;
    const learned = this.posEmbed.narrow(1, 1, side * side);
    const grid = rearrange(learned, "b (h w) d -> b d h w", { h: side });
    const scales = [h, w].map((places) => (places + POSITION_OFFSET) / side);
    const [down, right] = scales;
    const placed = dispatch("aten::upsample_bicubic2d", grid, [h, w], false, down, right);
    return Tensor.cat(
      [this.posEmbed.narrow(1, 0, 1), rearrange(placed, "b d h w -> b (h w) d")],
      1,
    );
  }
}
