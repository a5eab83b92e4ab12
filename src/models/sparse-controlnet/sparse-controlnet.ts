import { dims, rearrange } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { Module } from "../../nn/module.ts";
import { ControlNet } from "../controlnet/controlnet.ts";
import {
  MotionLevel,
  motionHooks,
  motionShape,
  placesIn,
  type MotionPlaces,
} from "../motion/motion-places.ts";
import { requireHeads, type UNetConfig } from "../unet/config.ts";
import type { Residuals } from "../unet/unet.ts";
import type { SparseControlConfig } from "./config.ts";

/**
 * A ControlNet that is shown some frames of a clip and tells the U-Net of all of them (SparseCtrl, Guo et al., 2023).
 *
 * It does not see the noisy latents: its first convolution reads zeros, and all that enters are the latents of the
 * known frames with a mask of where they are. Motion modules of one attention behind each layer on the way down carry
 * them along time; the middle block has none.
 */
export class SparseControlNet extends Module {
  readonly controlNet: ControlNet;
  /** One per level, finest first. */
  readonly motion: readonly MotionLevel[];
  readonly config: SparseControlConfig;
  readonly #places: MotionPlaces;

  constructor(rng: Rng, encoder: UNetConfig, config: SparseControlConfig) {
    super();
    const { blockOutChannels, layersPerBlock, normGroups: groups } = encoder;
    requireHeads(blockOutChannels, config.motion.heads);
    this.controlNet = new ControlNet(rng.split("controlNet"), encoder, {
      type: "latent",
      channels: config.conditionChannels + 1,
    });
    this.motion = blockOutChannels.map((channels, level) => {
      const shape = motionShape(config.motion, level, { groups, attentions: 1 });
      return new MotionLevel(rng.split("motion").split(level), layersPerBlock, channels, shape);
    });
    this.config = config;
    this.#places = new Map(
      this.controlNet.downBlocks.flatMap((block, i) => placesIn(block, this.motion[i]!)),
    );
  }

  /**
   * What `unet.forward` adds as `residuals`, in float32, to latents at labels `t` (0 to 999).
   *
   * `condition` is that of `sparseCondition` for whole clips of `frames` frames; `text` has one entry per frame, or one
   * for as many consecutive ones as a clip has.
   */
  forward(
    t: Float<"(b f)">,
    text: Float<"_ n d">,
    condition: Float<"(b f) e h w">,
    { frames }: { readonly frames: number },
  ): Residuals {
    const { b, e, h, w } = dims(condition, "b e h w");
    const { conditionChannels, motion } = this.config;
    if (e !== conditionChannels + 1 || b % frames !== 0) {
      throw new ShapeError(
        `expected a condition [(b ${frames}) ${conditionChannels + 1} h w], got [${condition.shape.join(" ")}]`,
      );
    }
    const { inChannels } = this.controlNet.config;
    const unseen = Tensor.zeros([b, inChannels, h, w], "float32", condition.device);
    const temporal = motionHooks(this.#places, frames, motion);
    return this.controlNet.forward(unseen, t, text, condition, { temporal });
  }
}

/**
 * What a SparseControlNet is shown of clips of `frames` frames: `latents` of the frames with the numbers `known`, with
 * a mask of ones; zeros, mask included, everywhere else.
 */
export function sparseCondition(
  latents: Float<"(b n) c h w">,
  known: readonly number[],
  frames: number,
): Float<"(b f) (c+1) h w"> {
  const { b, c, h, w } = dims(latents, "b c h w");
  const isFrame = (frame: number): boolean =>
    Number.isInteger(frame) && frame >= 0 && frame < frames;
  if (known.length === 0 || new Set(known).size !== known.length || !known.every(isFrame)) {
    throw new ShapeError(
      `expected the numbers of different frames, 0 to ${frames - 1}, got [${known.join(" ")}]`,
    );
  }
  if (b % known.length !== 0)
    throw new ShapeError(
      `expected latents of ${known.length} known frames for each clip, got ${b} latents`,
    );
  const blank = Tensor.zeros([b / known.length, c + 1, h, w], latents.dtype, latents.device);
  const mask = Tensor.ones([b, 1, h, w], latents.dtype, latents.device);
  const shown = rearrange(Tensor.cat([latents, mask], 1), "(b n) c h w -> b n c h w", {
    n: known.length,
  });
  const clip = Array.from({ length: frames }, (_, frame) => {
    const place = known.indexOf(frame);
    return place < 0 ? blank : shown.select(1, place);
  });
  return rearrange(Tensor.stack(clip, 1), "b f c h w -> (b f) c h w");
}
