import { z } from "zod";
import { layerCount, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";
import { headsAt } from "../unet/config.ts";

const count = z.int().positive();

/** What one motion module is, wherever it stands. */
const shared = {
  /** Frames that the modules have positions for: the longest clip. */
  maxFrames: count.default(32),
  /** Attention heads of every level, or of each level, finest first. */
  heads: z.union([count, z.array(count)]).default(8),
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
export const MotionConfig = z.strictObject({
  /** Channels of each level of the U-Net, finest first. */
  blockOutChannels: z.array(count).min(1).default([320, 640, 1280, 1280]),
  /** Modules per level on the way down; the way up has one more. */
  layersPerBlock: layerCount.default(2),
  /** Whether one stands in the middle block. Versions 1 and 3 have none. */
  midBlock: z.boolean().default(true),
  normGroups: count.default(32),
  ...shared,
});
export type MotionConfig = z.infer<typeof MotionConfig>;

/** Fills in defaults and refuses what no motion adapter can be built from. */
export function resolveMotionConfig(input: z.input<typeof MotionConfig>): MotionConfig {
  const config = parseConfig(MotionConfig, input, "motion adapter config");
  checkHeads(config, config.blockOutChannels);
  const { normGroups } = config;
  const uneven = config.blockOutChannels.find((channels) => channels % normGroups !== 0);
  if (uneven !== undefined)
    throw new ConfigError(
      `expected ${uneven} channels to divide by ${normGroups} norm groups: change one of them`,
    );
  return config;
}

/** Refuses heads that do not divide the channels of their level, and levels without them. */
export function checkHeads(
  { heads }: Pick<MotionConfig, "heads">,
  blockOutChannels: readonly number[],
): void {
  const levels = blockOutChannels.length;
  if (Array.isArray(heads) && heads.length !== levels)
    throw new ConfigError(
      `expected ${levels} entries in heads, one per level, got ${heads.length}`,
    );
  blockOutChannels.forEach((channels, level) => {
    const parts = headsAt({ heads }, level);
    if (channels % parts !== 0)
      throw new ConfigError(
        `expected ${channels} channels to divide by ${parts} heads: change one of them`,
      );
  });
}
