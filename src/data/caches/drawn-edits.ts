import { join } from "node:path";
import { noGrad } from "../../engine/autodiff.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import { worldDigest, type CacheProgress } from "./frame-cache.ts";
import { EditText, type LatentSource } from "./latents.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";
import * as triplets from "./triplet-items.ts";

/** Draws an edit of each input, as the words of its triplet say. */
export type DrawEdits = (input: Float<"b c h w">, texts: readonly EditText[]) => Float<"b c h w">;

/** Which edits are drawn, and by what. */
export interface DrawnEditSource extends LatentSource {
  /** The number of the first triplet. */
  readonly from: number;
  /** Identifies all that draws. */
  readonly drawnBy: string;
  readonly draw: DrawEdits;
}

const SHARD = 512;

/**
 * Edits of single frames as a model draws them beside what they should be: latents `drawn` and `encoded` [c h w], and the
 * right `picture` [h w 3] in RGB bytes.
 */
export async function openDrawnEdits(
  { folder, autoencoder, split, size, count, from, drawnBy, draw }: DrawnEditSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const make = (items: readonly DrawnItem[]): Shard<EditText> => {
    const side = (number: number): Uint8Array[] => items.map(({ frames }) => frames[number]!);
    const pictureOf = (rgb: Uint8Array): Tensor =>
      Tensor.from(rgb, [1, size, size, 3], "uint8", "cpu");
    const texts = items.map(({ text }) => EditText.parse(text));
    const input = encodeFrames(autoencoder, side(0), size);
    const encoded = encodeFrames(autoencoder, side(1), size);
    const tensors = new Map([
      ["drawn", noGrad(() => draw(input, texts)).to("float16")],
      ["encoded", encoded.to("float16")],
      ["picture", Tensor.cat(side(1).map(pictureOf), 0)],
    ]);
    return { tensors, texts };
  };
  using pool = new DrawingPool(triplets.draw, new URL("triplet-items.ts", import.meta.url));
  const plan = {
    folder: join(folder, `drawn-edits-${split}-${size}-${worldDigest(size)}-${from}-${drawnBy}`),
    what: `${split} edits, drawn`,
    count,
    shardSize: SHARD,
    text: EditText,
    prepare: async (first: number, items: number) => {
      const drawn = await pool.draw({ split }, from + first, items, size);
      return () => make(drawn);
    },
  };
  return await openShards(plan, report);
}
