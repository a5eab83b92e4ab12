import type { Rng } from "../../engine/random.ts";
import { inTurn } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import { Conv2d, pixelUnshuffle } from "../../nn/conv.ts";
import { zeroInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";
import type { HintConfig } from "./config.ts";

/** What turns a hint into something to add behind the first convolution. All are nothing at birth. */
export interface HintEntry extends Module {
  forward(hint: Float<"b _ _ _">): Float<"b c h w">;
}

/** What the network behind a hint takes. */
export interface HintOutput {
  /** Channels of its first state. */
  readonly outputs: number;
  /** Side of the squares of latents that it sees as one place. */
  readonly patchSize: number;
}

/** Convolutions that bring an RGB picture to the size of the latent, the last one zero at birth. */
export class RgbHint extends Module implements HintEntry {
  readonly convIn: Conv2d;
  readonly blocks: readonly Conv2d[];
  readonly convOut: Conv2d;

  constructor(rng: Rng, channels: readonly number[], outputs: number) {
    super();
    const [first = 0] = channels;
    this.convIn = new Conv2d(rng.split("convIn"), 3, first);
    this.blocks = channels.slice(1).flatMap((wider, i) => {
      const narrow = channels[i]!;
      const part = rng.split("block").split(i);
      return [
        new Conv2d(part.split("same"), narrow, narrow),
        new Conv2d(part.split("half"), narrow, wider, { stride: 2 }),
      ];
    });
    this.convOut = zeroInit(new Conv2d(rng.split("convOut"), channels.at(-1)!, outputs));
  }

  /** `hint` is RGB in [0, 1]. */
  forward(hint: Float<"b 3 _ _">): Float<"b c h w"> {
    const active = [this.convIn, ...this.blocks].map(
      (conv) => (h: Tensor) => conv.forward(h).silu(),
    );
    return inTurn(hint, [...active, (h) => this.convOut.forward(h)]);
  }
}

/**
 * One convolution of a latent, zero at birth.
 *
 * Deviation: the paper does not say how the picture enters. Its latent fits the noisy one place by place, so that one
 * convolution is enough, and no network of its own has to be trained.
 */
export class LatentHint extends Module implements HintEntry {
  readonly conv: Conv2d;
  readonly #patchSize: number;

  constructor(rng: Rng, channels: number, { outputs, patchSize }: HintOutput) {
    super();
    this.conv = zeroInit(new Conv2d(rng, channels * patchSize ** 2, outputs));
    this.#patchSize = patchSize;
  }

  forward(hint: Float<"b z h w">): Float<"b c _ _"> {
    return this.conv.forward(pixelUnshuffle(hint, this.#patchSize));
  }
}

/** Builds the entry that `config` asks for. */
export function buildHint(rng: Rng, config: HintConfig, output: HintOutput): HintEntry {
  switch (config.type) {
    case "rgb":
      return new RgbHint(rng, config.channels, output.outputs);
    case "latent":
      return new LatentHint(rng, config.channels, output);
  }
}
