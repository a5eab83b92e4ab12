import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import { Conv2d, pixelShuffle, pixelUnshuffle } from "../../nn/conv.ts";
import { plainLayer, type ApplyLayer } from "../../nn/lora.ts";
import { Module } from "../../nn/module.ts";
import { GroupNorm } from "../../nn/norm.ts";
import type { TimeEmbedding } from "../../nn/time-embedding.ts";
import { UpBlock, type DownBlock, type MidBlock } from "./blocks.ts";
import { unetStride, type UNetConfig } from "./config.ts";
import { buildEncoder, encode, handedOn, timeVector, type EncoderStates } from "./encoder.ts";
import type { Pass, TemporalHooks } from "./pass.ts";

/** What an adapter makes of the output, `[b out h w]`, knowing the last state before it, on the first convolution's grid. */
export type OutputHook = (
  output: Float<"b out h w">,
  state: Float<"b c _ _">,
) => Float<"b out h w">;

/** What is added to the encoder's states from outside: a ControlNet's output. */
export type Residuals = {
  /** One per state of the way down, finest first. */
  readonly down: readonly Tensor[];
  readonly mid: Tensor;
  /** The output is left alone without it. */
  readonly output?: OutputHook;
};

/** What stands beside the backbone in one evaluation. None of it changes the backbone. */
export type UNetOptions = {
  readonly residuals?: Residuals;
  /** A video adapter: `temporalLayers.on(unet, { frames, … })`. */
  readonly temporal?: TemporalHooks;
  /** A LoRA: `lora.on(unet)`. */
  readonly lora?: ApplyLayer;
  /** Whether the backward pass computes each layer again; default false. */
  readonly recompute?: boolean;
};

/**
 * The text-to-image U-Net of latent diffusion (Rombach et al., 2022), with diffusers' topology.
 *
 * It sees one image at a time: the frames of a clip are entries of the batch.
 */
export class UNet extends Module {
  readonly convIn: Conv2d;
  readonly timeEmbedding: TimeEmbedding;
  readonly downBlocks: readonly DownBlock[];
  readonly midBlock: MidBlock;
  readonly upBlocks: readonly UpBlock[];
  readonly convNormOut: GroupNorm;
  readonly convOut: Conv2d;
  readonly config: UNetConfig;

  constructor(rng: Rng, config: UNetConfig) {
    super();
    const { blockOutChannels: channels, normGroups: groups, normEps: eps } = config;
    const finest = channels[0]!;
    const encoder = buildEncoder(rng.split("encoder"), config);
    this.convIn = encoder.convIn;
    this.timeEmbedding = encoder.timeEmbedding;
    this.downBlocks = encoder.downBlocks;
    this.midBlock = encoder.midBlock;
    this.upBlocks = config.upBlockTypes.map((type, i) => {
      const level = channels.length - 1 - i;
      return new UpBlock(rng.split("up").split(i), { type, level, isLast: level === 0 }, config);
    });
    this.convNormOut = new GroupNorm(finest, { groups, eps });
    this.convOut = new Conv2d(
      rng.split("convOut"),
      finest,
      config.outChannels * config.patchSize ** 2,
    );
    this.config = config;
  }

  /**
   * The prediction for noisy latents `x` at labels `t` (0 to 999), in float32.
   *
   * `text` has one entry per latent, or fewer, each shared by as many consecutive latents: one per clip.
   */
  forward(
    x: Float<"b c h w">,
    t: Float<"b">,
    text: Float<"_ n d">,
    { residuals, temporal, lora = plainLayer, recompute = false }: UNetOptions = {},
  ): Float<"b out h w"> {
    checkInput(x, this.config);
    const evaluate = (): Tensor => {
      const time = timeVector(this, t, { apply: lora });
      const pass = { time, text, apply: lora, temporal: temporal ?? null, recompute };
      const { down, mid } = handedOn(pass, () => this.#wayDown(x, pass, residuals));
      const hidden = this.upBlocks.reduce((value, block) => block.forward(value, down, pass), mid);
      const state = this.convNormOut.forward(hidden).silu();
      const output = pixelShuffle(lora(this.convOut, state).to("float32"), this.config.patchSize);
      return residuals?.output?.(output, state) ?? output;
    };
    return recompute ? evaluate() : scoped(evaluate);
  }

  /** The encoder's states for `x` with what comes to them from outside. */
  #wayDown(x: Float<"b c h w">, pass: Pass, residuals: Residuals | undefined): EncoderStates {
    const patches = pixelUnshuffle(x, this.config.patchSize);
    const input = pass.apply(this.convIn, patches).to("float32");
    const states = encode(this, pass.temporal?.behind(this.convIn, input) ?? input, pass);
    return residuals ? addResiduals(states, residuals) : states;
  }
}

/** Whether a path names a linear layer of an attention or of the network behind it: what a LoRA usually adapts. */
export function isTransformerLinear(path: string): boolean {
  return /\.transformerBlocks\.\d+\.(attn1|attn2|ff)\./.test(path);
}

/** Refuses latents that `config` has no network for. */
export function checkInput(x: Float<"b c h w">, config: UNetConfig): void {
  const { c, h, w } = dims(x, "_ c h w");
  const stride = unetStride(config);
  if (c !== config.inChannels || h % stride !== 0 || w % stride !== 0) {
    throw new ShapeError(
      `expected [b ${config.inChannels} h w] with h and w divisible by ${stride}, got [${x.shape.join(" ")}]`,
    );
  }
}

/** What several adapters say at once: their residuals add up; one may change the output. */
export function addedUp(all: readonly Residuals[]): Residuals {
  return all.reduce((sum, { down, mid, output = sum.output }) => ({
    down: sum.down.map((state, i) => state.add(down[i]!)),
    mid: sum.mid.add(mid),
    ...(output && { output }),
  }));
}

function addResiduals({ down, mid }: EncoderStates, residuals: Residuals): EncoderStates {
  if (residuals.down.length !== down.length) {
    throw new ShapeError(
      `expected ${down.length} residuals for the way down, got ${residuals.down.length}`,
    );
  }
  return {
    down: down.map((state, i) => state.add(residuals.down[i]!)),
    mid: mid.add(residuals.mid),
  };
}
