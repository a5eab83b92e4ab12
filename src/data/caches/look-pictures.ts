import { z } from "zod";
import type { Look } from "../world/looks.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { CacheProgress } from "./cache-progress.ts";
import type { Shard, ShardedCache } from "./shards.ts";
import * as styled from "./styled-items.ts";
import * as subject from "./subject-items.ts";
import { openWorldShards } from "./world-shards.ts";
import type { LatentSource } from "./world-source.ts";

const SHARD = 256;

/** Latents `picture` [c h w] in a style, with captions that do not name it, or of a subject, with captions that do. */
export async function openLookPictures(
  source: LatentSource,
  look: Look,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<string>> {
  const { autoencoder, autoencoderHash, split, size } = source;
  const make = (items: readonly DrawnItem[]): Shard<string> => {
    const all = items.flatMap(({ frames }) => frames);
    const picture = encodeFrames(autoencoder, all, size).to("float16");
    return {
      tensors: new Map([["picture", picture]]),
      texts: items.map(({ text }) => z.string().parse(text)),
    };
  };
  const plan = {
    name: look.name,
    what: `pictures with ${look.name}`,
    madeBy: autoencoderHash,
    shardSize: SHARD,
    text: z.string(),
    make,
  };
  if (look.type === "style") {
    const module = new URL("styled-items.ts", import.meta.url);
    const items = { kind: { split, style: look.name }, draw: styled.draw, module };
    return await openWorldShards(source, { ...plan, items }, report);
  }
  const module = new URL("subject-items.ts", import.meta.url);
  const items = { kind: { split, name: look.name }, draw: subject.draw, module };
  return await openWorldShards(source, { ...plan, items }, report);
}
