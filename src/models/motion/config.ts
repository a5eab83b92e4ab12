import { z } from "zod";
import {
  layerCount,
  levelChannels,
  networkSize,
  parseConfig,
  refuseFor,
} from "../../engine/config.ts";
import { groupsFault, headsFault } from "../unet/config.ts";

/** What one motion module is, wherever it stands. */
const shared = {
  /** Frames that the modules have positions for: the longest clip. */
  maxFrames: networkSize.default(32),
  /** Attention heads of every level, or of each level, finest first. */
  heads: z.union([networkSize, levelChannels]).default(8),
  /** Transformer blocks in one module. */
  transformerLayers: layerCount.default(1),
  /**
   * What a module's group normalisation takes its statistics over.
   *
   * `"frame"`: each frame by itself, as AnimateDiff's own program does, in which the public weights were trained.
   * `"clip"`: all frames of a clip together, as diffusers does.
   */
  statistics: z.enum(["frame", "clip"]).default("frame"),
};

/** The shape of the motion modules of a SparseCtrl encoder; channels and groups are the encoder's. */
export const EncoderMotionConfig = z.strictObject(shared);
export type EncoderMotionConfig = z.infer<typeof EncoderMotionConfig>;

/** The shape of a motion adapter; the defaults are those of AnimateDiff's second version (v1-5-2). */
export const MotionConfig = z
  .strictObject({
    /** Channels of each level of the U-Net, finest first. */
    blockOutChannels: levelChannels.default([320, 640, 1280, 1280]),
    /** Modules per level on the way down; the way up has one more. */
    layersPerBlock: layerCount.default(2),
    /** Whether one stands in the middle block. Versions 1 and 3 have none. */
    midBlock: z.boolean().default(true),
    normGroups: networkSize.default(32),
    ...shared,
  })
  .superRefine(refuseFor((config) => headsFault(config) ?? groupsFault(config)));
export type MotionConfig = z.infer<typeof MotionConfig>;

/** Fills in defaults and refuses what no motion adapter can be built from. */
export function resolveMotionConfig(input: z.input<typeof MotionConfig>): MotionConfig {
  return parseConfig(MotionConfig, input, "motion adapter config");
}
