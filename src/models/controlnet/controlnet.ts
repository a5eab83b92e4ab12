import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import { Conv2d, pixelUnshuffle } from "../../nn/conv.ts";
import { uninitialised, zeroInit } from "../../nn/init.ts";
import { plainLayer } from "../../nn/lora.ts";
import { Module, copyParameters, type Parameters } from "../../nn/module.ts";
import type { TimeEmbedding } from "../../nn/time-embedding.ts";
import type { DownBlock, MidBlock } from "../unet/blocks.ts";
import type { UNetConfig } from "../unet/config.ts";
import {
  buildEncoder,
  encode,
  handedOn,
  stateChannels,
  timeVector,
  type EncoderParts,
} from "../unet/encoder.ts";
import { evaluated, type TemporalHooks } from "../unet/pass.ts";
import { checkInput, type Residuals, type UNet } from "../unet/unet.ts";
import type { HintConfig } from "./config.ts";
import { buildHint, type HintEntry } from "./hint.ts";

function zeroConvolution(channels: number, rng: Rng): Conv2d {
  return zeroInit(uninitialised(() => new Conv2d(rng, channels, channels, { kernel: 1 })));
}

/** What stands beside a ControlNet in one evaluation. */
export type ControlNetOptions = {
  /** Added to the time vector: what a task's vector becomes. */
  readonly timeShift?: Float<"b e">;
  /** Layers that let the frames of a clip see each other: those of SparseCtrl. */
  readonly temporal?: TemporalHooks | null;
  /** Whether the backward pass computes each layer again; default false. */
  readonly recompute?: boolean;
};

/**
 * A trainable copy of a U-Net's encoder that follows a picture (Zhang et al., 2023).
 *
 * Its states leave through convolutions that start at zero: a fresh ControlNet adds nothing to its U-Net.
 */
export class ControlNet extends Module {
  readonly convIn: Conv2d;
  readonly timeEmbedding: TimeEmbedding;
  readonly controlnetCondEmbedding: HintEntry;
  readonly downBlocks: readonly DownBlock[];
  readonly midBlock: MidBlock;
  readonly controlnetDownBlocks: readonly Conv2d[];
  readonly controlnetMidBlock: Conv2d;
  readonly config: UNetConfig;

  constructor(
    rng: Rng,
    config: UNetConfig,
    hint: HintConfig,
    encoder: EncoderParts = buildEncoder(rng.split("encoder"), config),
  ) {
    super();
    const channels = config.blockOutChannels;
    this.convIn = encoder.convIn;
    this.timeEmbedding = encoder.timeEmbedding;
    this.controlnetCondEmbedding = buildHint(rng.split("hint"), hint, {
      outputs: channels[0]!,
      patchSize: config.patchSize,
    });
    this.downBlocks = encoder.downBlocks;
    this.midBlock = encoder.midBlock;
    this.controlnetDownBlocks = stateChannels(config).map((width) => zeroConvolution(width, rng));
    this.controlnetMidBlock = zeroConvolution(channels.at(-1)!, rng);
    this.config = config;
  }

  /** A ControlNet whose encoder holds copies of the weights of `unet`. */
  static fromUNet(rng: Rng, unet: UNet, hint: HintConfig): ControlNet {
    const encoder = uninitialised(() => buildEncoder(rng, unet.config));
    const copy = new ControlNet(rng, unet.config, hint, encoder);
    copyParameters(encoderParameters(copy), encoderParameters(unet), "the U-Net's encoder");
    return copy;
  }

  /**
   * What `unet.forward` adds as `residuals`, in float32.
   *
   * `x`, `t`, `text` as the U-Net takes them (`text` the instruction, extended as the caller likes); `timeShift`, e.g.
   * a task's vector, is added to the time vector; `temporal` is asked behind the layers of this encoder, not the U-Net's.
   */
  forward(
    x: Float<"b c h w">,
    t: Float<"b">,
    text: Float<"_ n d">,
    hint: Float<"b _ _ _">,
    { timeShift, temporal = null, recompute = false }: ControlNetOptions = {},
  ): Residuals {
    checkInput(x, this.config);
    return handedOn({ recompute }, () => {
      const patches = pixelUnshuffle(x, this.config.patchSize);
      const convolved = this.convIn.forward(patches).to("float32");
      const input = temporal?.behind(this.convIn, convolved) ?? convolved;
      const seen = scoped(() => this.controlnetCondEmbedding.forward(hint));
      if (seen.shape.join() !== input.shape.join()) {
        throw new ShapeError(
          `expected a hint that becomes [${input.shape.join(" ")}], got [${hint.shape.join(" ")}], which becomes [${seen.shape.join(" ")}]`,
        );
      }
      const time = timeVector(this, t, { timeShift, apply: plainLayer });
      const pass = { time, text, apply: plainLayer, temporal, recompute };
      const states = encode(this, input.add(seen), pass);
      const leaving = (zero: Conv2d, state: Tensor): Tensor =>
        evaluated(pass, (_, own) => zero.forward(own).to("float32"), state);
      return {
        down: this.controlnetDownBlocks.map((zero, i) => leaving(zero, states.down[i]!)),
        mid: leaving(this.controlnetMidBlock, states.mid),
      };
    });
  }
}

function encoderParameters(network: Module): Parameters {
  const parts = /^(convIn|timeEmbedding|downBlocks|midBlock)\./;
  return new Map([...network.parameters()].filter(([name]) => parts.test(name)));
}
