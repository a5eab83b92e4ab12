import { join } from "node:path";
import { z } from "zod";
import type { Look } from "../world/looks.ts";
import type { Split } from "../world/splits.ts";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import { worldDigest, type CacheProgress } from "./frame-cache.ts";
import type { LatentSource } from "./latents.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";
import * as styled from "./styled-items.ts";
import * as subject from "./subject-items.ts";

const SHARD = 256;

/** Latents `picture` [c h w] in a style, with captions that do not name it, or of a subject, with captions that do. */
export async function openLookPictures(
  { folder, autoencoder, autoencoderHash, split, size, count }: LatentSource,
  look: Look,
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
  using drawing = openDrawing(look, split);
  const plan = {
    folder: join(folder, `${look.name}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`),
    what: `${split} pictures with ${look.name}`,
    count,
    shardSize: SHARD,
    text: z.string(),
    prepare: async (first: number, items: number) => {
      const drawn = await drawing.draw(first, items, size);
      return () => make(drawn);
    },
  };
  return await openShards(plan, report);
}

/** Draws pictures with a look, in threads. */
interface Drawing extends Disposable {
  draw(first: number, count: number, size: number): Promise<DrawnItem[]>;
}

function openDrawing(look: Look, split: Split): Drawing {
  if (look.type === "style") {
    const pool = new DrawingPool(styled.draw, new URL("styled-items.ts", import.meta.url));
    const kind = { split, style: look.name };
    return drawingOf(pool, (...items) => pool.draw(kind, ...items));
  }
  const pool = new DrawingPool(subject.draw, new URL("subject-items.ts", import.meta.url));
  const kind = { split, name: look.name };
  return drawingOf(pool, (...items) => pool.draw(kind, ...items));
}

function drawingOf(pool: Disposable, draw: Drawing["draw"]): Drawing {
  return { draw, [Symbol.dispose]: () => pool[Symbol.dispose]() };
}
