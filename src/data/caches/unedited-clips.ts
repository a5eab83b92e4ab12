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
import { openShards, type CachedItems, type Shard, type ShardedCache } from "./shards.ts";
import * as unedited from "./unedited-items.ts";

/** The words that go with an unedited clip: what to change (`c_instruct`), and what the result shows (`c_out`). */
export const UneditedText = z.strictObject({
  task: z.enum(TASKS),
  instruction: z.string(),
  outputCaption: z.string(),
});
export type UneditedText = z.infer<typeof UneditedText>;

/**
 * Inputs of distillation (§4: `c_out`, `c_instruct`, `c_vid`): tensors `clip` [f c h w] of latents, and words.
 *
 * No edited picture belongs to them, and nothing here can draw one.
 */
export type UneditedClips = CachedItems<UneditedText>;

/** Inputs of distillation before they are opened, wherever they come from. */
export interface InputSource {
  /** What they are for, for progress: `train`. */
  readonly name: string;
  readonly count: number;
  /** Opens them; what is missing is made first. */
  readonly open: (report?: (progress: CacheProgress) => void) => Promise<UneditedClips>;
  /** The folder for what is drawn from them, by its kind; other inputs have others. */
  readonly folderFor: (kind: string) => string;
}

/** Where unedited clips of the generated world come from and where they are kept. */
export interface UneditedSource {
  readonly folder: string;
  readonly autoencoder: Autoencoder;
  /** Identifies the encoder that made the latents. */
  readonly autoencoderHash: string;
  readonly split: Exclude<Split, "test">;
  /** Side of the pictures, in pixels. */
  readonly size: number;
  /** Frames of a clip. */
  readonly frames: number;
  readonly count: number;
}

const CLIPS_A_SHARD = 128;

/** Inputs of distillation from the generated world. */
export function worldInputs(source: UneditedSource): InputSource {
  return {
    name: source.split,
    count: source.count,
    open: (report) => openUneditedClips(source, report),
    folderFor: (kind) => folderOf(kind, source),
  };
}

/** Opens clips of the generated world; what is missing is rendered and encoded first. */
export async function openUneditedClips(
  source: UneditedSource,
  report?: (progress: CacheProgress) => void,
): Promise<UneditedClips> {
  const { split, count, autoencoder, size, frames } = source;
  const make = (items: readonly DrawnItem[]): Shard<UneditedText> => {
    const all = items.flatMap((item) => item.frames);
    const latents = encodeFrames(autoencoder, all, size).to("float16");
    const clip = rearrange(latents, "(b f) c h w -> b f c h w", { f: frames });
    const texts = items.map(({ text }) => UneditedText.parse(text));
    return { tensors: new Map([["clip", clip]]), texts };
  };
  using pool = new DrawingPool(unedited.draw, new URL("unedited-items.ts", import.meta.url));
  const prepare = async (first: number, items: number): Promise<() => Shard<UneditedText>> => {
    const drawn = await pool.draw({ split, frames }, first, items, size);
    return () => make(drawn);
  };
  const what = `${split} inputs`;
  const folder = folderOf("unedited", source);
  return await openShards(
    { folder, what, count, shardSize: CLIPS_A_SHARD, text: UneditedText, prepare },
    report,
  );
}

/** What the teachers draw from unedited clips, once and for all: they are frozen. */
export interface DrawingPlan {
  /** What is drawn, for the name of its folder and for progress: `first frames`. */
  readonly what: string;
  /** Identifies who draws and how: the teachers' weights and everything that decides what they draw. */
  readonly by: string;
  /** Clips of one file, and of one call of `draw`. */
  readonly shardSize: number;
  /** Tensors by name for the clips that `indices` names, their first axis counting those. */
  readonly draw: (indices: readonly number[]) => ReadonlyMap<string, Tensor>;
}

/** Opens drawings for the clips of a source, in their order; those that are missing are drawn first. */
export async function openDrawings(
  { name, count, folderFor }: InputSource,
  { what, by, shardSize, draw }: DrawingPlan,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<null>> {
  const make = (first: number, items: number): Shard<null> => {
    const drawn = draw(Array.from({ length: items }, (_, i) => first + i));
    const tensors = new Map([...drawn].map(([key, tensor]) => [key, tensor.to("float16")]));
    return { tensors, texts: Array.from({ length: items }, () => null) };
  };
  const folder = join(folderFor(what.replaceAll(" ", "-")), by);
  return openShards(
    {
      folder,
      what: `${name} ${what}`,
      count,
      shardSize,
      text: z.null(),
      prepare: async (first, items) => () => make(first, items),
    },
    report,
  );
}

function folderOf(
  kind: string,
  { folder, autoencoderHash, split, size, frames }: UneditedSource,
): string {
  return join(folder, `${kind}${frames}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`);
}
