import { join } from "node:path";
import { z } from "zod";
import type { Tensor } from "../../engine/tensor.ts";
import { TASKS } from "../world/tasks.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { encodeClips } from "./encode-clips.ts";
import type { CacheProgress } from "./cache-progress.ts";
import { openShards, type CachedItems, type Shard, type ShardedCache } from "./shards.ts";
import * as unedited from "./unedited-items.ts";
import { openWorldShards } from "./world-shards.ts";
import { worldFolder, type LatentSource } from "./world-source.ts";

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
export interface UneditedSource extends LatentSource {
  /** Frames of a clip. */
  readonly frames: number;
}

const CLIPS_A_SHARD = 128;

/** Inputs of distillation from the generated world. */
export function worldInputs(source: UneditedSource): InputSource {
  return {
    name: source.split,
    count: source.count,
    open: (report) => openUneditedClips(source, report),
    folderFor: (kind) => worldFolder(`${kind}${source.frames}`, source, source.autoencoderHash),
  };
}

/** Opens clips of the generated world; what is missing is rendered and encoded first. */
export async function openUneditedClips(
  source: UneditedSource,
  report?: (progress: CacheProgress) => void,
): Promise<UneditedClips> {
  const { split, frames, autoencoderHash } = source;
  const module = new URL("unedited-items.ts", import.meta.url);
  const plan = {
    name: `unedited${frames}`,
    what: "inputs",
    madeBy: autoencoderHash,
    items: { kind: { split, frames }, draw: unedited.draw, module },
    shardSize: CLIPS_A_SHARD,
    text: UneditedText,
    make: (items: readonly DrawnItem[]) => encodeClips(items, frames, source, UneditedText),
  };
  return await openWorldShards(source, plan, report);
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
