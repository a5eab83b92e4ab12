import { z } from "zod";
import { networkSize, patchSide } from "../../engine/config.ts";

/** The shape of the gates that give edited pictures their source's detail back. */
export const DetailGatesConfig = z.strictObject({
  /** Side of the pixel squares that become channels before the first convolution. */
  patchSize: patchSide.default(2),
  /** Channels there, and at half that resolution. */
  channels: z.tuple([networkSize, networkSize]).default([32, 40]),
});
export type DetailGatesConfig = z.infer<typeof DetailGatesConfig>;
