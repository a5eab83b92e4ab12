import { dims, rearrange } from "../../engine/axes.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, dispatch, type Float, type Pixels } from "../../engine/tensor.ts";
import type { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { Attention } from "../../nn/attention.ts";
import { Conv2d } from "../../nn/conv.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm.ts";
import { sinusoids } from "../../nn/time-embedding.ts";
import type { CriticConfig } from "./critic-config.ts";

/** What the frozen vision transformer sees in frames: tokens at each depth, and how they lie. */
export interface Sight {
  /** Per depth, one token per patch, row by row. */
  readonly tokens: readonly Float<"(b f) (h w) d">[];
  /** Patches along a frame's height. */
  readonly h: number;
}

/** Verdicts of every head k at every place n: high for the teacher's, low for the student's. */
export type Scores = Float<"b k n">;

/** The part that both critics have: frames seen by a frozen vision transformer that is not theirs. */
abstract class Critic extends Module {
  readonly #vision: VisionTransformer;
  readonly #depths: readonly number[];
  readonly #size: number | null;

  constructor(vision: VisionTransformer, { depths, size, channels, heads }: CriticConfig) {
    super();
    const deepest = Math.max(...depths);
    if (deepest > vision.config.layers) {
      throw new ConfigError(
        `expected critic depths of at most the vision transformer's ${vision.config.layers} layers, got ${deepest}`,
      );
    }
    if (channels % heads !== 0) {
      throw new ConfigError(
        `expected critic channels divisible by heads, got ${channels} and ${heads}`,
      );
    }
    this.#vision = vision;
    this.#depths = depths;
    this.#size = size;
  }

  /**
   * Frames as the heads get them; gradients flow through to the pixels, and to no weight.
   *
   * The class token is added to every patch's, as in StyleGAN-T. Wrap it in `noGrad` for frames that nothing is
   * learned from: the teacher's, the input's, and the student's while the critic itself learns.
   */
  see(frames: Pixels<"(b f) 3 h w">): Sight {
    const sized = this.#size === null ? frames : resized(frames, this.#size);
    const tokens = this.#vision.features(sized, this.#depths).map((all) => {
      const { n } = dims(all, "_ n _");
      return all.narrow(1, 1, n - 1).add(all.narrow(1, 0, 1));
    });
    return { tokens, h: sized.shape[2]! / this.#vision.config.patchSize };
  }
}

function resized(frames: Pixels<"b 3 h w">, side: number): Pixels<"b 3 h w"> {
  return dispatch("aten::adaptive_avg_pool2d", frames, [side, side]);
}

/**
 * Features of a frozen network as a head reads them: normalised, then projected.
 *
 * Without the normalisation, depths of large features would drown the others.
 */
class Projection extends Module {
  readonly norm: LayerNorm;
  readonly linear: Linear;

  constructor(rng: Rng, features: number, channels: number) {
    super();
    this.norm = new LayerNorm(features);
    this.linear = new Linear(rng, features, channels);
  }

  forward(x: Float<"... d">): Float<"... c"> {
    return this.linear.forward(this.norm.forward(x)).to("float32");
  }
}

/**
 * The end of every head: merges projections by an attention layer, looks at neighbours, and gives one score a place.
 *
 * The score is a linear one plus the agreement of the place with its condition, as in a projection discriminator
 * (Miyato and Koyama, 2018), which StyleGAN-T and ADD use.
 *
 * Deviation: StyleGAN-T's heads convolve the row of tokens and normalise over the batch, with spectral norms and leaky
 * units; here 3×3 convolutions look at the grid, tokens are normalised one by one, so that no frame's score depends on
 * others, and units are smooth, so that R1 is.
 */
class Judge extends Module {
  readonly norm1: LayerNorm;
  readonly merge: Attention;
  readonly norm2: LayerNorm;
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly toScore: Linear;

  constructor(rng: Rng, { channels, heads }: CriticConfig) {
    super();
    this.norm1 = new LayerNorm(channels);
    this.merge = new Attention(rng.split("merge"), { channels, heads });
    this.norm2 = new LayerNorm(channels);
    this.conv1 = new Conv2d(rng.split("conv1"), channels, channels);
    this.conv2 = new Conv2d(rng.split("conv2"), channels, channels);
    this.toScore = new Linear(rng.split("score"), channels, 1);
  }

  /** Scores of `x`, which stands in rows of patches, `h` of them, given `context`. */
  forward(x: Float<"b (h w) c">, context: Float<"b m c">, h: number): Float<"b n"> {
    const condition = this.merge.forward(this.norm1.forward(x), { context }).to("float32");
    const merged = this.norm2.forward(x.add(condition));
    const grid = rearrange(merged, "b (h w) c -> b c h w", { h });
    const seen = this.conv2.forward(this.conv1.forward(grid).gelu()).gelu().to("float32");
    const hidden = merged.add(rearrange(seen, "b c h w -> b (h w) c")).mul(Math.SQRT1_2);
    const agreement = hidden
      .mul(condition)
      .sum([-1])
      .div(Math.sqrt(condition.shape.at(-1)!));
    return this.toScore.forward(hidden).squeeze(-1).to("float32").add(agreement);
  }
}

/** The head of the edit critic at one depth. */
class EditHead extends Module {
  readonly toOutput: Projection;
  readonly toInput: Projection;
  readonly toText: Projection;
  readonly judge: Judge;

  constructor(rng: Rng, features: number, config: CriticConfig) {
    super();
    const { channels, textFeatures } = config;
    this.toOutput = new Projection(rng.split("output"), features, channels);
    this.toInput = new Projection(rng.split("input"), features, channels);
    this.toText = new Projection(rng.split("text"), textFeatures, channels);
    this.judge = new Judge(rng.split("judge"), config);
  }

  forward(
    output: Float<"b n d">,
    input: Float<"b n d">,
    text: Float<"b m e">,
    h: number,
  ): Float<"b n"> {
    const [drawn, given, words] = [
      this.toOutput.forward(output),
      this.toInput.forward(input),
      this.toText.forward(text),
    ];
    // the sum puts what a place shows beside what it showed before the edit
    return this.judge.forward(drawn.add(given), Tensor.cat([words, given, drawn], 1), h);
  }
}

/** What the edit critic compares a frame with. */
export interface EditSight {
  /** The input frames, seen by the same critic. */
  readonly input: Sight;
  /** Token features of each clip's instruction. */
  readonly instruction: Float<"b n d">;
}

/**
 * The edit critic `D_e` (§3.2, §3.3): did the edit teacher draw this frame, or the student?
 *
 * The paper adds a projection of the input frame to those that ADD has, of the text and of a picture, and merges them by an
 * attention layer. The picture is the judged frame itself here: ADD's is what its student began from, and this one begins
 * from noise. Every frame is judged by itself.
 */
export class EditCritic extends Critic {
  readonly heads: readonly EditHead[];

  constructor(rng: Rng, vision: VisionTransformer, config: CriticConfig) {
    super(vision, config);
    this.heads = config.depths.map((_, k) => {
      return new EditHead(rng.split("heads").split(k), vision.config.width, config);
    });
  }

  /** One score per frame, head and place. */
  score(output: Sight, { input, instruction }: EditSight): Scores {
    const text = instruction.repeatInterleave(framesPerClip(output, instruction), 0);
    const verdicts = this.heads.map((head, k) =>
      head.forward(output.tokens[k]!, input.tokens[k]!, text, output.h),
    );
    return Tensor.stack(verdicts, 1);
  }
}

/** The head of the video critic at one depth. */
class VideoHead extends Module {
  readonly toOutput: Projection;
  readonly toText: Projection;
  readonly temporalNorm: LayerNorm;
  readonly temporal: Attention;
  readonly judge: Judge;

  constructor(rng: Rng, features: number, config: CriticConfig) {
    super();
    const { channels, heads, textFeatures } = config;
    this.toOutput = new Projection(rng.split("output"), features, channels);
    this.toText = new Projection(rng.split("text"), textFeatures, channels);
    this.temporalNorm = new LayerNorm(channels);
    this.temporal = new Attention(rng.split("temporal"), { channels, heads });
    this.judge = new Judge(rng.split("judge"), config);
  }

  forward(
    output: Float<"(b f) n d">,
    text: Float<"(b f) m e">,
    h: number,
    f: number,
  ): Float<"(b f) n"> {
    const drawn = this.alongTime(this.toOutput.forward(output), f);
    return this.judge.forward(drawn, Tensor.cat([this.toText.forward(text), drawn], 1), h);
  }

  /** Adds what each place's token reads from the other frames; frames carry their number. */
  alongTime(x: Float<"(b f) n c">, f: number): Float<"(b f) n c"> {
    const { n, c } = dims(x, "_ n c");
    const tracks = rearrange(x, "(b f) n c -> (b n) f c", { f });
    const numbers = sinusoids(Tensor.arange(f, "float32", x.device), c);
    const read = this.temporal.forward(this.temporalNorm.forward(tracks).add(numbers));
    return rearrange(tracks.add(read.to("float32")), "(b n) f c -> (b f) n c", { n });
  }
}

/**
 * The video critic `D_v` (§3.2, §3.3): did the video teacher draw this clip, or the student?
 *
 * One temporal attention layer reads the projected features of each place over the clip's frames; the caption is its
 * only condition.
 *
 * Deviation: the caption is merged by an attention layer, too, which the paper says of `D_e` alone.
 */
export class VideoCritic extends Critic {
  readonly heads: readonly VideoHead[];

  constructor(rng: Rng, vision: VisionTransformer, config: CriticConfig) {
    super(vision, config);
    this.heads = config.depths.map((_, k) => {
      return new VideoHead(rng.split("heads").split(k), vision.config.width, config);
    });
  }

  /** One score per clip, head, and place in each of its frames; `caption` has one entry per clip. */
  score(output: Sight, caption: Float<"b n d">): Float<"b k (f n)"> {
    const f = framesPerClip(output, caption);
    const text = caption.repeatInterleave(f, 0);
    const verdicts = this.heads.map((head, k) =>
      rearrange(head.forward(output.tokens[k]!, text, output.h, f), "(b f) n -> b (f n)", { f }),
    );
    return Tensor.stack(verdicts, 1);
  }
}

function framesPerClip({ tokens }: Sight, text: Float<"b n d">): number {
  const { b } = dims(text, "b _ _");
  const frames = tokens[0]!.shape[0]!;
  if (frames % b !== 0)
    throw new ShapeError(`expected as many frames for each of ${b} texts, got ${frames}`);
  return frames / b;
}
