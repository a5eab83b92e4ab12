import { join } from "node:path";
import { z } from "zod";
import type { HeldOutStyle } from "../world/held-out-styles.ts";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import { worldDigest, type CacheProgress } from "./frame-cache.ts";
import type { LatentSource } from "./latents.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";
import * as styled from "./styled-items.ts";

const SHARD = 256;

/** Latents `picture` [c h w] in a held-out style, with captions that do not name it. */
export async function openStyledPictures(
  { folder, autoencoder, autoencoderHash, split, size, count }: LatentSource,
  style: HeldOutStyle,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<string>> {
  const make = (items: readonly DrawnItem[]): Shard<string> => {
    const all = items.flatMap(({ frames }) => frames);
    const picture = encodeFrames(autoencoder, all, size).to("float16");
    return {
      tensors: new Map([["picture", picture]]),
      texts: items.map(({ text }) => z.string().parse(text)),
    };
  };
  using pool = new DrawingPool(styled.draw, new URL("styled-items.ts", import.meta.url));
  const plan = {
    folder: join(folder, `${style}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`),
    what: `${split} pictures in ${style}`,
    count,
    shardSize: SHARD,
    text: z.string(),
    prepare: async (first: number, items: number) => {
      const drawn = await pool.draw({ split, style }, first, items, size);
      return () => make(drawn);
    },
  };
  return await openShards(plan, report);
}
