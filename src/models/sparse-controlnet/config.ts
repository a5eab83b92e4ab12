import { z } from "zod";
import { networkSize } from "../../engine/config.ts";
import { EncoderMotionConfig } from "../motion/config.ts";

/** What a SparseCtrl encoder has beside the shape of its U-Net's encoder; the defaults are those of SparseCtrl-RGB. */
export const SparseControlConfig = z.strictObject({
  /** Channels of the latents that it is shown; one of mask comes on top. */
  conditionChannels: networkSize.default(4),
  motion: EncoderMotionConfig.prefault({}),
});
export type SparseControlConfig = z.infer<typeof SparseControlConfig>;
