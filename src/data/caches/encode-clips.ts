import type { z } from "zod";
import { rearrange } from "../../engine/axes.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { Shard } from "./shards.ts";
import type { LatentSource } from "./world-source.ts";

/** A shard of clips of `frames` frames each: their latents `clip` [f c h w], and their words. */
export function encodeClips<Text>(
  items: readonly DrawnItem[],
  frames: number,
  { autoencoder, size }: Pick<LatentSource, "autoencoder" | "size">,
  text: z.ZodType<Text>,
): Shard<Text> {
  const all = items.flatMap((item) => item.frames);
  const latents = encodeFrames(autoencoder, all, size).to("float16");
  const clip = rearrange(latents, "(b f) c h w -> b f c h w", { f: frames });
  return { tensors: new Map([["clip", clip]]), texts: items.map((item) => text.parse(item.text)) };
}
