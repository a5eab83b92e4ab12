import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../engine/errors.ts";
import { scoped } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { sampleEdit, type EditRequest } from "../world/edits.ts";
import { renderFrame } from "../world/render.ts";
import type { Split } from "../world/splits.ts";
import { TASKS } from "../world/tasks.ts";
import { encodeFrames } from "./encode-frames.ts";
import { frameOf, worldDigest, type CacheProgress } from "./frame-cache.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";

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
export type UneditedClips = ShardedCache<UneditedText>;

/** Where unedited clips come from and where they are kept. */
export interface UneditedSource {
  readonly folder: string;
  readonly autoencoder: Autoencoder;
  /** Identifies the autoencoder's weights. */
  readonly autoencoderHash: string;
  readonly split: Exclude<Split, "test">;
  /** Side of the pictures, in pixels. */
  readonly size: number;
  /** Frames of a clip. */
  readonly frames: number;
  readonly count: number;
}

/** Scenes before this number are the adapters': theirs have edited pictures in training, these never had. */
const FIRST_SCENE = 1 << 20;
const CLIPS_A_SHARD = 128;
/** The splits whose clips may be learned from or watched while learning. */
const LEARNABLE: readonly Split[] = ["train", "validation"];

/** Input `index` of distillation: a scene, and the words of an edit of it; the tasks take turns. */
export function uneditedAt(split: UneditedSource["split"], index: number): EditRequest {
  if (!LEARNABLE.includes(split)) {
    throw new ConfigError(
      `expected the ${LEARNABLE.join(" or the ")} split, got "${split}": its clips belong to the evaluation`,
    );
  }
  const task = TASKS[index % TASKS.length]!;
  return sampleEdit(split, FIRST_SCENE + Math.floor(index / TASKS.length), task);
}

/** Opens the inputs of distillation; what is missing is rendered and encoded first. */
export async function openUneditedClips(
  source: UneditedSource,
  report?: (progress: CacheProgress) => void,
): Promise<UneditedClips> {
  const { split, count } = source;
  const make = (first: number, items: number): Shard<UneditedText> => {
    const numbers = Array.from({ length: items }, (_, i) => first + i);
    const requests = numbers.map((index) => uneditedAt(split, index));
    const clips = requests.map((request, i) => encodedClip(request, numbers[i]!, source));
    const texts = requests.map(({ task, instruction, outputCaption }) => {
      return { task, instruction, outputCaption };
    });
    return { tensors: new Map([["clip", Tensor.stack(clips, 0)]]), texts };
  };
  const what = `${split} inputs`;
  const folder = folderOf("unedited", source);
  return openShards(
    { folder, what, count, shardSize: CLIPS_A_SHARD, text: UneditedText, make },
    report,
  );
}

/** The latents of consecutive frames of a request's scene, unedited. */
function encodedClip(
  { scene }: EditRequest,
  index: number,
  { autoencoder, frames, size }: UneditedSource,
): Float<"f c h w"> {
  const start = frameOf(index);
  const pictures = Array.from({ length: frames }, (_, f) => renderFrame(scene, start + f, size));
  return scoped(() => encodeFrames(autoencoder, pictures, size).to("float16"));
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

/** Opens drawings for the clips of `source`, in their order; those that are missing are drawn first. */
export async function openDrawings(
  source: UneditedSource,
  { what, by, shardSize, draw }: DrawingPlan,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<null>> {
  const { split, count } = source;
  const make = (first: number, items: number): Shard<null> => {
    const drawn = draw(Array.from({ length: items }, (_, i) => first + i));
    const tensors = new Map([...drawn].map(([name, tensor]) => [name, tensor.to("float16")]));
    return { tensors, texts: Array.from({ length: items }, () => null) };
  };
  const folder = join(folderOf(what.replaceAll(" ", "-"), source), by);
  return openShards(
    { folder, what: `${split} ${what}`, count, shardSize, text: z.null(), make },
    report,
  );
}

function folderOf(
  kind: string,
  { folder, autoencoderHash, split, size, frames }: UneditedSource,
): string {
  return join(folder, `${kind}${frames}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`);
}
