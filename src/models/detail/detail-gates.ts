import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { Conv2d, pixelShuffle, pixelUnshuffle, upsampleNearest } from "../../nn/conv.ts";
import { Module } from "../../nn/module.ts";
import type { DetailGatesConfig } from "./config.ts";

/** One edit, in the model's square: what came in, what the autoencoder makes of that, and of what was drawn. */
export interface EditedPixels {
  readonly source: Pixels<"b 3 h w">;
  readonly reconstruction: Pixels<"b 3 h w">;
  readonly edited: Pixels<"b 3 h w">;
}

/** Gives edited pictures back what they should have kept, within [-1, 1]. */
export type RestoreDetail = (pictures: EditedPixels) => Pixels<"b 3 h w">;

/** How much of its source each pixel gets back, from 0 to 1. */
export interface Gates {
  /** Of what the autoencoder has lost, `source − reconstruction`. */
  readonly lost: Float<"b 1 h w">;
  /** Of what the edit has changed, `reconstruction − edited`; where both gates are 1 the source stands. */
  readonly changed: Float<"b 1 h w">;
}

/** Factors that bring both differences near the size of a picture. */
const CHANGED_SCALE = 3;
const LOST_SCALE = 6;
/** Before anything is learned: most of what was lost comes back, little of what was changed. */
const FIRST_LOGITS = { lost: 1, changed: -1 } as const;

/**
 * Learned gates by which an edit keeps what it should not change: `edited + g_lost·(source − reconstruction) +
 * g_changed·(reconstruction − edited)`.
 *
 * Two scales of convolutions see all three pictures. Gates are all that comes out, so that nothing is drawn that is in none of
 * the three.
 *
 * Deviation: not in the paper, which shows what its autoencoder decodes.
 */
export class DetailGates extends Module {
  readonly config: DetailGatesConfig;
  readonly convIn: Conv2d;
  readonly fine: Conv2d;
  readonly down: Conv2d;
  readonly coarse: readonly Conv2d[];
  readonly up: Conv2d;
  readonly convOut: Conv2d;

  constructor(rng: Rng, config: DetailGatesConfig) {
    super();
    const { patchSize, channels } = config;
    const [fine, coarse] = channels;
    const patch = patchSize ** 2;
    this.config = config;
    this.convIn = new Conv2d(rng.split("convIn"), 9 * patch, fine);
    this.fine = new Conv2d(rng.split("fine"), fine, fine);
    this.down = new Conv2d(rng.split("down"), fine, coarse, { stride: 2 });
    this.coarse = [0, 1].map((at) => new Conv2d(rng.split("coarse").split(at), coarse, coarse));
    this.up = new Conv2d(rng.split("up"), coarse + fine, fine);
    this.convOut = new Conv2d(rng.split("convOut"), fine, 2 * patch);
  }

  /** The gates of pictures whose sides are multiples of `2 · patchSize`. */
  gates({ source, reconstruction, edited }: EditedPixels): Gates {
    const { patchSize } = this.config;
    const { h, w } = dims(edited, "b 3 h w");
    const stride = 2 * patchSize;
    if (h % stride !== 0 || w % stride !== 0)
      throw new ShapeError(`expected sides divisible by ${stride}, got ${h} and ${w}`);
    const changed = edited.sub(reconstruction).mul(CHANGED_SCALE);
    const lost = source.sub(reconstruction).mul(LOST_SCALE);
    const seen = pixelUnshuffle(Tensor.cat([edited, changed, lost], 1), patchSize);
    const residual = (x: Float, layer: Conv2d): Float => layer.forward(x).silu().add(x);
    const fine = residual(this.convIn.forward(seen).silu(), this.fine);
    const coarse = this.coarse.reduce(residual, this.down.forward(fine).silu());
    const both = Tensor.cat([upsampleNearest(coarse), fine], 1);
    const logits = this.convOut.forward(this.up.forward(both).silu()).to("float32");
    const planes = pixelShuffle(logits, patchSize);
    return {
      lost: planes.narrow(1, 0, 1).add(FIRST_LOGITS.lost).sigmoid(),
      changed: planes.narrow(1, 1, 1).add(FIRST_LOGITS.changed).sigmoid(),
    };
  }

  /** The edits with what they should have kept, not clamped. */
  forward(pictures: EditedPixels): Pixels<"b 3 h w"> {
    const { source, reconstruction, edited } = pictures;
    const { lost, changed } = this.gates(pictures);
    const detail = source.sub(reconstruction).mul(lost);
    return edited.add(detail).add(reconstruction.sub(edited).mul(changed));
  }
}
