import { z } from "zod";
import type { Tensor } from "../../engine/tensor.ts";
import { TASKS } from "../world/tasks.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeClips } from "./encode-clips.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { CacheProgress } from "./cache-progress.ts";
import * as scenes from "./scene-items.ts";
import type { Shard, ShardedCache } from "./shards.ts";
import * as triplets from "./triplet-items.ts";
import { openWorldShards } from "./world-shards.ts";
import type { LatentSource } from "./world-source.ts";

/** The words of one triplet. */
export const EditText = z.strictObject({
  task: z.enum(TASKS),
  instruction: z.string(),
  inputCaption: z.string(),
  outputCaption: z.string(),
});
export type EditText = z.infer<typeof EditText>;

const EDITS_A_SHARD = 1024;
const CLIPS_A_SHARD = 256;

/** Latents `before` and `after` of single-frame triplets with their words; all seven tasks in turn. */
export async function openEditLatents(
  source: LatentSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, autoencoderHash, split, size } = source;
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
  const module = new URL("triplet-items.ts", import.meta.url);
  const plan = {
    name: "edits",
    what: "edits",
    madeBy: autoencoderHash,
    items: { kind: { split }, draw: triplets.draw, module },
    shardSize: EDITS_A_SHARD,
    text: EditText,
    make,
  };
  return await openWorldShards(source, plan, report);
}

/** Latents `clip` [f c h w] of unedited clips with their captions. */
export async function openClipLatents(
  source: LatentSource,
  frames: number,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<string>> {
  const { split, autoencoderHash } = source;
  const text = z.string();
  const module = new URL("scene-items.ts", import.meta.url);
  const plan = {
    name: `clips${frames}`,
    what: "clips",
    madeBy: autoencoderHash,
    items: { kind: { split, frames }, draw: scenes.draw, module },
    shardSize: CLIPS_A_SHARD,
    text,
    make: (items: readonly DrawnItem[]) => encodeClips(items, frames, source, text),
  };
  return await openWorldShards(source, plan, report);
}
