import { noGrad } from "../../engine/autodiff.ts";
import { dims } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { OutputHook } from "../../models/unet/unet.ts";
import { Conv2d, pixelShuffle } from "../../nn/conv.ts";
import { zeroInit } from "../../nn/init.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";

/** The widths that a copy head stands between. */
export interface CopyHeadShape {
  /** Channels of the U-Net's last state. */
  readonly stateChannels: number;
  /** Channels of a latent. */
  readonly channels: number;
  /** Features of the time vector. */
  readonly timeChannels: number;
  /** Side of the squares of latents that the U-Net sees as one place. */
  readonly patchSize: number;
}

/** What the head mixes into the output. */
export interface Copied {
  /** Latents of the input frames. */
  readonly input: Float<"b c h w">;
  readonly xt: Float<"b c h w">;
  /** The time vector behind its SiLU. */
  readonly time: Float<"b e">;
}

/**
 * A way past the frozen decoder for what an edit leaves alone: `output + g·(copied − output)`.
 *
 * `copied` is a sum of input and noisy latent, channel by channel with factors of the time, which is all that a
 * prediction of the unchanged input is; the gate `g`, in (-1, 1) for each place of the latent, is read off the U-Net's
 * last state, which knows picture and words. At birth g is 0 and the head is the identity.
 *
 * Deviation: the paper's adapter is a ControlNet alone. A small frozen decoder loses what it has to hand through.
 */
export class CopyHead extends Module {
  readonly gate: Conv2d;
  /** Time to the factors of the input, then those of the noisy latent. */
  readonly factors: Linear;
  readonly #patchSize: number;

  constructor(rng: Rng, { stateChannels, channels, timeChannels, patchSize }: CopyHeadShape) {
    super();
    this.gate = zeroInit(new Conv2d(rng.split("gate"), stateChannels, patchSize ** 2));
    this.factors = zeroInit(new Linear(rng.split("factors"), timeChannels, 2 * channels));
    this.#patchSize = patchSize;
    // At pure noise the velocity of an unchanged picture is its negative
    noGrad(() => this.factors.bias!.narrow(0, 0, channels).copyFrom(Tensor.full([channels], -1)));
  }

  /** What becomes of the U-Net's output, in float32: the sum must not round what it copies. */
  over({ input, xt, time }: Copied): OutputHook {
    const { c } = dims(xt, "_ c _ _");
    const factors = this.factors.forward(time).to("float32").unsqueeze(2).unsqueeze(3);
    const copied = input.mul(factors.narrow(1, 0, c)).add(xt.mul(factors.narrow(1, c, c)));
    return (output, state) => {
      const gate = pixelShuffle(this.gate.forward(state).to("float32").tanh(), this.#patchSize);
      return output.add(copied.sub(output).mul(gate));
    };
  }
}
