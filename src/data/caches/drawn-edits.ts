import { join } from "node:path";
import { noGrad } from "../../engine/autodiff.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { decodeLatents } from "../../eve/model/coding.ts";
import { toBytes } from "../pixels.ts";
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

/** The triplets of a shard, and what was drawn of them. */
interface DrawnTriplets {
  /** RGB bytes of what comes in, and of what is right. */
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
  readonly input: Float<"b c h w">;
  readonly drawn: Float<"b c h w">;
}

/** Latents `drawn` and `encoded` [c h w] of edits, and the right `picture` [h w 3] in RGB bytes. */
export function openDrawnEdits(
  source: DrawnEditSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, size } = source;
  const tensorsOf = ({ drawn, after }: DrawnTriplets): ReadonlyMap<string, Tensor> =>
    new Map([
      ["drawn", drawn.to("float16")],
      ["encoded", encodeFrames(autoencoder, after, size).to("float16")],
      ["picture", byteRows(after, size)],
    ]);
  return openEdits("drawn-edits", source, tensorsOf, report);
}

/** The most frames that are decoded at once. */
const DECODED = 16;

/**
 * Edits as pictures [h w 3] in RGB bytes: their `source`, its `reconstruction` by the autoencoder, what was drawn, `edited`,
 * and the right `picture`.
 */
export function openDecodedEdits(
  source: DrawnEditSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, size } = source;
  const decoded = (latents: Float<"b c h w">): Tensor =>
    byteRows(toBytes(decodeLatents(autoencoder, latents, DECODED)), size);
  const tensorsOf = ({ before, after, input, drawn }: DrawnTriplets): ReadonlyMap<string, Tensor> =>
    new Map([
      ["source", byteRows(before, size)],
      ["reconstruction", decoded(input)],
      ["edited", decoded(drawn)],
      ["picture", byteRows(after, size)],
    ]);
  return openEdits("decoded-edits", source, tensorsOf, report);
}

/** Edits of single frames as a model draws them, beside what they should be. */
async function openEdits(
  kind: string,
  { folder, autoencoder, split, size, count, from, drawnBy, draw }: DrawnEditSource,
  tensorsOf: (triplets: DrawnTriplets) => ReadonlyMap<string, Tensor>,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const make = (items: readonly DrawnItem[]): Shard<EditText> => {
    const side = (number: number): Uint8Array[] => items.map(({ frames }) => frames[number]!);
    const texts = items.map(({ text }) => EditText.parse(text));
    const [before, after] = [side(0), side(1)];
    const input = encodeFrames(autoencoder, before, size);
    const drawn = noGrad(() => draw(input, texts));
    return { tensors: noGrad(() => tensorsOf({ before, after, input, drawn })), texts };
  };
  using pool = new DrawingPool(triplets.draw, new URL("triplet-items.ts", import.meta.url));
  const plan = {
    folder: join(folder, `${kind}-${split}-${size}-${worldDigest(size)}-${from}-${drawnBy}`),
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

/** Square pictures as uint8 [f h w 3]. */
function byteRows(pictures: readonly Uint8Array[], size: number): Tensor {
  return Tensor.cat(
    pictures.map((rgb) => Tensor.from(rgb, [1, size, size, 3], "uint8", "cpu")),
    0,
  );
}
