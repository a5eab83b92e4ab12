import { z } from "zod";
import { networkSize } from "../../engine/config.ts";

/** The shape of the temporal layers of a video adapter; channels come from the U-Net. */
export const TemporalConfig = z.strictObject({
  /** Frames that one temporal convolution sees; odd. */
  kernel: networkSize
    .refine(
      (frames) => frames % 2 === 1,
      "expected an odd temporal kernel, which has a middle frame",
    )
    .default(3),
  heads: networkSize.default(8),
  /** Width of the two-layer network behind each temporal attention, in multiples of the channels. */
  feedForwardExpansion: networkSize.default(4),
  /**
   * Which frames are shown the first frame's latent.
   *
   * `"first"`: only the first, as in Emu Video. `"every"`: all, with a mask of ones on the first and zeros on the rest.
   * Deviation: a small network cannot carry a whole picture along time by attention between equal places alone.
   */
  firstFrameOn: z.enum(["first", "every"]).default("first"),
  /** Channels of the first-frame condition: those of a latent and one of mask. */
  conditionChannels: networkSize.default(5),
});
export type TemporalConfig = z.infer<typeof TemporalConfig>;
