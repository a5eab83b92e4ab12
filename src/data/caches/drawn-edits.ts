import { noGrad } from "../../engine/autodiff.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { decodeLatents } from "../../eve/model/coding.ts";
import { toBytes } from "../pixels.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { CacheProgress } from "./cache-progress.ts";
import { EditText } from "./latents.ts";
import type { Shard, ShardedCache } from "./shards.ts";
import * as triplets from "./triplet-items.ts";
import { openWorldShards, type WorldPlan } from "./world-shards.ts";
import type { LatentSource } from "./world-source.ts";

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
  source: DrawnEditSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, size, from, draw, drawnBy } = source;
  const make = (items: readonly DrawnItem[]): Shard<EditText> => {
    const texts = items.map(({ text }) => EditText.parse(text));
    const [before, after] = [picturesOf(items, 0), picturesOf(items, 1)];
    const input = encodeFrames(autoencoder, before, size);
    const tensors = new Map([
      ["drawn", noGrad(() => draw(input, texts)).to("float16")],
      ["encoded", encodeFrames(autoencoder, after, size).to("float16")],
      ["picture", byteRows(after, size)],
    ]);
    return { tensors, texts };
  };
  const kept = { name: "drawn-edits", what: "edits, drawn", madeBy: `${from}-${drawnBy}` };
  return await openWorldShards(source, { ...kept, ...ofTriplets(source), make }, report);
}

/** Which edits are decoded, too, and by what. */
export interface DecodedEditSource extends DrawnEditSource {
  /** Identifies the decoder beside all that draws. */
  readonly decodedBy: string;
}

/** Pictures that are decoded at once. */
const DECODED = 16;

/**
 * Drawn edits as pictures [h w 3] in RGB bytes: their `source`, its `reconstruction` by the autoencoder, what was drawn, `edited`,
 * and the right `picture`.
 */
export async function openDecodedEdits(
  source: DecodedEditSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, size, from, decodedBy } = source;
  const drawn = await openDrawnEdits(source, report);
  const decoded = (latents: Float<"b c h w">): Tensor =>
    byteRows(toBytes(decodeLatents(autoencoder, latents, DECODED)), size);
  const make = (items: readonly DrawnItem[], first: number): Shard<EditText> => {
    const indices = items.map((_, row) => first + row);
    const before = picturesOf(items, 0);
    const tensors = new Map([
      ["source", byteRows(before, size)],
      ["reconstruction", decoded(encodeFrames(autoencoder, before, size))],
      ["edited", decoded(drawn.gather("drawn", indices))],
      ["picture", byteRows(picturesOf(items, 1), size)],
    ]);
    return { tensors, texts: indices.map((index) => drawn.text(index)) };
  };
  const kept = { name: "decoded-edits", what: "edits, decoded", madeBy: `${from}-${decodedBy}` };
  return await openWorldShards(source, { ...kept, ...ofTriplets(source), make }, report);
}

/** What every cache of triplets is made of. */
function ofTriplets({
  split,
  from,
}: DrawnEditSource): Pick<
  WorldPlan<triplets.TripletKind, EditText>,
  "items" | "shardSize" | "text"
> {
  const module = new URL("triplet-items.ts", import.meta.url);
  const items = { kind: { split }, draw: triplets.draw, module, from };
  return { items, shardSize: SHARD, text: EditText };
}

/** The pictures of triplets, before the edit (0) or after it (1). */
function picturesOf(items: readonly DrawnItem[], side: 0 | 1): Uint8Array[] {
  return items.map(({ frames }) => frames[side]!);
}

/** Square pictures as uint8 [f h w 3]. */
function byteRows(pictures: readonly Uint8Array[], size: number): Tensor {
  const rows = pictures.map((rgb) => Tensor.from(rgb, [1, size, size, 3], "uint8", "cpu"));
  return Tensor.cat(rows, 0);
}
