import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Int, type Pixels } from "../../engine/tensor.ts";
import { Linear } from "../../nn/linear.ts";
import { Module, parameter } from "../../nn/module.ts";
import { TextEncoder } from "../text-encoder/text-encoder.ts";
import type { ClipConfig } from "./config.ts";
import { VisionTower } from "./vision-tower.ts";

/** `log(1 / 0.07)`: where CLIP's training starts its scale of cosines. */
const FIRST_LOGIT_SCALE = Math.log(1 / 0.07);

/** CLIP (Radford et al., 2021): pictures and texts as vectors of one space, which agree where their contents do. */
export class Clip extends Module {
  readonly textModel: TextEncoder;
  readonly visionModel: VisionTower;
  readonly visualProjection: Linear;
  readonly textProjection: Linear;
  /** The logarithm of what cosines are multiplied by; public weights have `log 100`. */
  readonly logitScale: Float<"">;
  readonly config: ClipConfig;

  constructor(rng: Rng, config: ClipConfig) {
    super();
    const { text, vision, projection } = config;
    const plain = { bias: false };
    this.textModel = new TextEncoder(rng.split("text"), text);
    this.visionModel = new VisionTower(rng.split("vision"), vision);
    this.visualProjection = new Linear(
      rng.split("visualProjection"),
      vision.hiddenSize,
      projection,
      plain,
    );
    this.textProjection = new Linear(
      rng.split("textProjection"),
      text.hiddenSize,
      projection,
      plain,
    );
    this.logitScale = parameter(Tensor.scalar(FIRST_LOGIT_SCALE));
    this.config = config;
  }

  /** One vector per picture, float32, not brought to length one; `h` and `w` are `vision.imageSize`. */
  imageFeatures(pixels: Pixels<"b 3 h w">): Float<"b d"> {
    return this.visualProjection.forward(this.visionModel.forward(pixels)).to("float32");
  }

  /**
   * One vector per text, float32, not brought to length one; `ids` as the model's tokenizer gives them.
   *
   * Read at the first end token, so padding behind it does not count.
   */
  textFeatures(ids: Int<"b n">): Float<"b d"> {
    const pooled = this.textModel.pooled(this.textModel.forward(ids), ids);
    return this.textProjection.forward(pooled).to("float32");
  }
}
