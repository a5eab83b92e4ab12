import { z } from "zod";
import { levelChannels, networkSize } from "../../engine/config.ts";

/** How a ControlNet sees the picture it is to follow. */
export const HintConfig = z.discriminatedUnion("type", [
  /** RGB in [0, 1] at eight times the latent's size, through a small network of its own (diffusers). */
  z.strictObject({
    type: z.literal("rgb"),
    channels: levelChannels.min(2).default([16, 32, 96, 256]),
  }),
  /** The autoencoder's latent of the picture, through one convolution. */
  z.strictObject({ type: z.literal("latent"), channels: networkSize.default(4) }),
]);
export type HintConfig = z.infer<typeof HintConfig>;
