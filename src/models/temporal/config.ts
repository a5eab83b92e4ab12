import { z } from "zod";
import { parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

const count = z.int().positive();

/** The shape of the temporal layers of a video adapter; channels come from the U-Net. */
export const TemporalConfig = z.strictObject({
  /** Frames that one temporal convolution sees; odd. */
  kernel: count.default(3),
  heads: count.default(8),
  /** Width of the two-layer network behind each temporal attention, in multiples of the channels. */
  feedForwardExpansion: count.default(4),
  /**
   * Which frames are shown the first frame's latent.
   *
   * `"first"`: only the first, as in Emu Video. `"every"`: all, with a mask of ones on the first and zeros on the rest.
   * Deviation: a small network cannot carry a whole picture along time by attention between equal places alone.
   */
  firstFrameOn: z.enum(["first", "every"]).default("first"),
  /** Channels of the first-frame condition: those of a latent and one of mask. */
  conditionChannels: count.default(5),
});
export type TemporalConfig = z.infer<typeof TemporalConfig>;

/** Fills in defaults and refuses what no temporal layers can be built from. */
export function resolveTemporalConfig(input: z.input<typeof TemporalConfig>): TemporalConfig {
  const parsed = parseConfig(TemporalConfig, input, "temporal config");
  if (parsed.kernel % 2 === 0)
    throw new ConfigError(`expected an odd temporal kernel, got ${parsed.kernel}`);
  return parsed;
}
