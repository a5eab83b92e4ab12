import { join } from "node:path";
import { z } from "zod";
import { rearrange } from "../../engine/axes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import type { Split } from "../world/splits.ts";
import { TASKS } from "../world/tasks.ts";
import { encodeFrames } from "./encode-frames.ts";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { worldDigest, type CacheProgress } from "./frame-cache.ts";
import * as scenes from "./scene-items.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";
import * as triplets from "./triplet-items.ts";

/** The words of one triplet. */
export const EditText = z.strictObject({
  task: z.enum(TASKS),
  instruction: z.string(),
  inputCaption: z.string(),
  outputCaption: z.string(),
});
export type EditText = z.infer<typeof EditText>;

/** Where latents come from and where they are kept. */
export interface LatentSource {
  readonly folder: string;
  readonly autoencoder: Autoencoder;
  /** Identifies the encoder that made the latents. */
  readonly autoencoderHash: string;
  readonly split: Exclude<Split, "test">;
  readonly size: number;
  readonly count: number;
}

const SHARD = 1024;

function folderFor(kind: string, { folder, autoencoderHash, split, size }: LatentSource): string {
  return join(folder, `${kind}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`);
}

/** Latents `before` and `after` of single-frame triplets with their words; all seven tasks in turn. */
export async function openEditLatents(
  source: LatentSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, split, size, count } = source;
  const make = (items: readonly DrawnItem[]): Shard<EditText> => {
    const encode = (side: number): Tensor =>
      encodeFrames(
        autoencoder,
        items.map(({ frames }) => frames[side]!),
        size,
      ).to("float16");
    const tensors = new Map([
      ["before", encode(0)],
      ["after", encode(1)],
    ]);
    return { tensors, texts: items.map(({ text }) => EditText.parse(text)) };
  };
  using pool = new DrawingPool(triplets.draw, new URL("triplet-items.ts", import.meta.url));
  const plan = {
    folder: folderFor("edits", source),
    what: `${split} edits`,
    count,
    shardSize: SHARD,
    text: EditText,
    prepare: async (first: number, items: number) => {
      const drawn = await pool.draw({ split }, first, items, size);
      return () => make(drawn);
    },
  };
  return await openShards(plan, report);
}

/** Latents `clip` [f c h w] of unedited clips with their captions. */
export async function openClipLatents(
  source: LatentSource,
  frames: number,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<string>> {
  const { autoencoder, split, size, count } = source;
  const make = (items: readonly DrawnItem[]): Shard<string> => {
    const all = items.flatMap((item) => item.frames);
    const latents = encodeFrames(autoencoder, all, size).to("float16");
    const clip = rearrange(latents, "(b f) c h w -> b f c h w", { f: frames });
    return {
      tensors: new Map([["clip", clip]]),
      texts: items.map(({ text }) => z.string().parse(text)),
    };
  };
  using pool = new DrawingPool(scenes.draw, new URL("scene-items.ts", import.meta.url));
  const plan = {
    folder: folderFor(`clips${frames}`, source),
    what: `${split} clips`,
    count,
    shardSize: SHARD / 4,
    text: z.string(),
    prepare: async (first: number, items: number) => {
      const drawn = await pool.draw({ split, frames }, first, items, size);
      return () => make(drawn);
    },
  };
  return await openShards(plan, report);
}
