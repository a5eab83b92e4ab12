import { z } from "zod";

const count = z.int().positive();

/** The shape of the gates that give edited pictures their source's detail back. */
export const DetailGatesConfig = z.strictObject({
  /** Side of the pixel squares that become channels before the first convolution. */
  patchSize: count.default(2),
  /** Channels there, and at half that resolution. */
  channels: z.tuple([count, count]).default([32, 40]),
});
export type DetailGatesConfig = z.infer<typeof DetailGatesConfig>;
