import { join } from "node:path";
import { z } from "zod";
import { Tensor } from "../../engine/tensor.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { caption } from "../world/language.ts";
import { sampleEdit } from "../world/edits.ts";
import { renderFrame } from "../world/render.ts";
import { Rng as WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";
import { TASKS } from "../world/tasks.ts";
import { renderTriplet } from "../world/triplet.ts";
import { encodeFrames } from "./encode-frames.ts";
import { frameOf, worldDigest, type CacheProgress } from "./frame-cache.ts";
import { openShards, type Shard, type ShardedCache } from "./shards.ts";

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
  /** Identifies the autoencoder's weights. */
  readonly autoencoderHash: string;
  readonly split: Exclude<Split, "test">;
  readonly size: number;
  readonly count: number;
}

const SHARD = 1024;

function folderFor(kind: string, { folder, autoencoderHash, split, size }: LatentSource): string {
  return join(folder, `${kind}-${split}-${size}-${worldDigest(size)}-${autoencoderHash}`);
}

/** Which edit item `index` is: the tasks take turns. */
export function editAt(split: Split, index: number): ReturnType<typeof sampleEdit> {
  return sampleEdit(split, Math.floor(index / TASKS.length), TASKS[index % TASKS.length]!);
}

/** Latents `before` and `after` of single-frame triplets with their words; all seven tasks in turn. */
export async function openEditLatents(
  source: LatentSource,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<EditText>> {
  const { autoencoder, split, size, count } = source;
  const make = (first: number, items: number): Shard<EditText> => {
    const requests = Array.from({ length: items }, (_, i) => editAt(split, first + i));
    const pairs = requests.map((request, i) =>
      renderTriplet(request, split, frameOf(first + i), size),
    );
    const encode = (frames: Uint8Array[]): Tensor =>
      encodeFrames(autoencoder, frames, size).to("float16");
    const tensors = new Map([
      ["before", encode(pairs.map(({ before }) => before))],
      ["after", encode(pairs.map(({ after }) => after))],
    ]);
    const texts = requests.map(({ task, instruction, inputCaption, outputCaption }) => {
      return { task, instruction, inputCaption, outputCaption };
    });
    return { tensors, texts };
  };
  const plan = {
    folder: folderFor("edits", source),
    what: `${split} edits`,
    count,
    shardSize: SHARD,
    text: EditText,
    make,
  };
  return openShards(plan, report);
}

/** Latents `clip` [f c h w] of unedited clips with their captions. */
export async function openClipLatents(
  source: LatentSource,
  frames: number,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<string>> {
  const { autoencoder, split, size, count } = source;
  const make = (first: number, items: number): Shard<string> => {
    const clips: Tensor[] = [];
    const texts: string[] = [];
    for (let index = first; index < first + items; index++) {
      const scene = sampleScene(split, index);
      const start = frameOf(index);
      const pictures = Array.from({ length: frames }, (_, frame) =>
        renderFrame(scene, start + frame, size),
      );
      clips.push(encodeFrames(autoencoder, pictures, size).to("float16"));
      texts.push(caption(scene, new WorldRng("clip caption", split, index), split));
    }
    return { tensors: new Map([["clip", Tensor.stack(clips, 0)]]), texts };
  };
  const plan = {
    folder: folderFor(`clips${frames}`, source),
    what: `${split} clips`,
    count,
    shardSize: SHARD / 4,
    text: z.string(),
    make,
  };
  return openShards(plan, report);
}
