import type { EditText } from "../../src/data/caches/latents.ts";
import { ShardedCache } from "../../src/data/caches/shards.ts";
import { TextCache } from "../../src/data/caches/text-cache.ts";
import { TASKS } from "../../src/data/world/tasks.ts";
import { normal, Rng } from "../../src/engine/random.ts";
import type { Tensor } from "../../src/engine/tensor.ts";
import { TextEncoder } from "../../src/models/text-encoder/text-encoder.ts";
import { largestDifference } from "./difference.ts";
import { smallTextEncoderConfig, smallTokenizer } from "./small-model.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** The features of any sentence, by a very small encoder. */
export function smallTexts(): TextCache {
  const tokenizer = smallTokenizer(temporaryFolder());
  const config = smallTextEncoderConfig(tokenizer.vocabularySize);
  return new TextCache(new TextEncoder(Rng.seed(1), config), tokenizer);
}

/** Edits whose latents are noise, in memory; all that is said of one names its number, and tasks come in turn. */
export function editItems(count: number, seed = 2): ShardedCache<EditText> {
  const latents = (side: string): Tensor => normal(Rng.seed(seed).split(side), [count, 4, 8, 8]);
  const texts = Array.from({ length: count }, (_, item) => ({
    task: TASKS[item % TASKS.length]!,
    instruction: `do ${item}`,
    inputCaption: `before ${item}`,
    outputCaption: `after ${item}`,
  }));
  const tensors = new Map(["before", "after"].map((side) => [side, latents(side)]));
  return new ShardedCache([{ tensors, texts }]);
}

/** Clips of four frames whose latents are noise, in memory, with captions that name their numbers. */
export function clipItems(count: number, seed = 3): ShardedCache<string> {
  const tensors = new Map([["clip", normal(Rng.seed(seed), [count, 4, 4, 8, 8])]]);
  return new ShardedCache([
    { tensors, texts: Array.from({ length: count }, (_, item) => `clip ${item}`) },
  ]);
}

/** The number of the item whose tensor `name` is `row`; −1 for none. */
export function itemOf<Text>(items: ShardedCache<Text>, name: string, row: Tensor): number {
  const numbers = items.firstIndices(items.count);
  return numbers.findIndex((item) => largestDifference(items.gather(name, [item]), row) === 0);
}
