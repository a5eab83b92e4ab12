import { z } from "zod";
import { TemporalConfig } from "../../models/temporal/config.ts";

/**
 * The shape of the video-generation adapter `θ_video` (§3.1): Emu Video's temporal layers, with the first frame
 * as a condition. The network is `TemporalLayers`.
 */
export const VideoAdapterConfig = z.strictObject({
  /** Frames that it sees at once, in training and in use. */
  window: z.int().min(2).default(8),
  temporal: TemporalConfig,
});
export type VideoAdapterConfig = z.infer<typeof VideoAdapterConfig>;
