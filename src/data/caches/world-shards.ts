import type { z } from "zod";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawItem, DrawnItem } from "./drawn-item.ts";
import type { CacheProgress } from "./cache-progress.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";
import { worldFolder, type WorldSource } from "./world-source.ts";

/** Items of one kind, as threads can draw them. */
export interface WorldItems<Kind> {
  readonly kind: Kind;
  readonly draw: DrawItem<Kind>;
  /** The file that exports `draw` under this name. */
  readonly module: URL;
  /** The number of the first item; default 0. */
  readonly from?: number;
}

/** A cache of what is made of items that the generated world draws. */
export interface WorldPlan<Kind, Text> {
  /** What its folder's name begins with: `edits`. */
  readonly name: string;
  /** What it holds, for progress. */
  readonly what: string;
  /** Identifies all that makes it of the pictures: what its folder's name ends with. */
  readonly madeBy: string;
  readonly items: WorldItems<Kind>;
  /** Items of one shard file. */
  readonly shardSize: number;
  readonly text: z.ZodType<Text>;
  /** Makes a shard of its items, the first of which is the cache's number `first`. */
  readonly make: (items: readonly DrawnItem[], first: number) => Shard<Text>;
}

/** Opens a cache of the generated world; what is missing is drawn and made first. */
export async function openWorldShards<Kind, Text>(
  source: WorldSource,
  { name, what, madeBy, items, shardSize, text, make }: WorldPlan<Kind, Text>,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<Text>> {
  const { kind, draw, module, from = 0 } = items;
  const { split, size, count } = source;
  using pool = new DrawingPool(draw, module);
  const plan = {
    folder: worldFolder(name, source, madeBy),
    what: `${split} ${what}`,
    count,
    shardSize,
    text,
    prepare: async (first: number, some: number) => {
      const drawn = await pool.draw(kind, from + first, some, size);
      return () => make(drawn, first);
    },
  };
  return await openShards(plan, report);
}
