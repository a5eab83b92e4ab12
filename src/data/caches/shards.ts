import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { loadSafetensors, saveSafetensors } from "../../engine/safetensors.ts";
import { persist, tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { CacheProgress } from "./frame-cache.ts";

/** One piece of a cache: tensors whose first axis counts its items, and a record of text per item. */
export interface Shard<Text> {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly texts: readonly Text[];
}

/** How a cache is made, piece by piece; `make` is pure in the index range. */
export interface ShardPlan<Text> {
  readonly folder: string;
  /** What the cache holds, for progress. */
  readonly what: string;
  /** Items in all. */
  readonly count: number;
  /** Items of one shard file. */
  readonly shardSize: number;
  /** The texts' schema: a cache file is read as untrusted. */
  readonly text: z.ZodType<Text>;
  readonly make: (first: number, count: number) => Shard<Text>;
}

/** Precomputed items on disk: float16 tensors, memory-mapped, with their texts. */
export class ShardedCache<Text> {
  readonly count: number;
  readonly #shards: readonly Shard<Text>[];
  readonly #shardSize: number;

  constructor(shards: readonly Shard<Text>[], shardSize: number) {
    this.#shards = shards;
    this.#shardSize = shardSize;
    this.count = shards.reduce((sum, shard) => sum + shard.texts.length, 0);
  }

  text(index: number): Text {
    return this.#locate(index).shard.texts[index % this.#shardSize]!;
  }

  /** The first indices, `limit` of them or as many as there are. */
  firstIndices(limit: number): number[] {
    return Array.from({ length: Math.min(limit, this.count) }, (_, index) => index);
  }

  /** The tensor `name` of the items that `indices` names, stacked, in float32. */
  gather(name: string, indices: readonly number[]): Tensor {
    const rows = indices.map((index) => {
      const { shard, row } = this.#locate(index);
      return shard.tensors.get(name)!.narrow(0, row, 1);
    });
    return Tensor.cat(rows, 0).to("float32");
  }

  #locate(index: number): { shard: Shard<Text>; row: number } {
    const shard = this.#shards[Math.floor(index / this.#shardSize)]!;
    return { shard, row: index % this.#shardSize };
  }
}

/** Opens a cache; shards that are missing are made first, each whole or not at all. */
export async function openShards<Text>(
  plan: ShardPlan<Text>,
  report: (progress: CacheProgress) => void = () => {},
): Promise<ShardedCache<Text>> {
  const { folder, what, count, shardSize, make, text } = plan;
  mkdirSync(folder, { recursive: true });
  const shards: Shard<Text>[] = [];
  for (let first = 0; first < count; first += shardSize) {
    const size = Math.min(shardSize, count - first);
    const base = join(folder, `${String(first).padStart(7, "0")}-${size}`);
    if (!existsSync(`${base}.json`)) {
      writeShard(base, () => make(first, size));
      await setImmediate();
    }
    shards.push(openShard(base, text));
    report({ type: "cache-progress", what, done: first + size, total: count });
  }
  return new ShardedCache(shards, shardSize);
}

/** The texts are written last, under their final name: a shard is there when they are. */
function writeShard<Text>(base: string, make: () => Shard<Text>): void {
  using _ = tensorScope();
  const shard = make();
  saveSafetensors(`${base}.safetensors`, shard.tensors, { dtype: "float16" });
  writeFileSync(`${base}.json.partial`, JSON.stringify(shard.texts));
  renameSync(`${base}.json.partial`, `${base}.json`);
}

function openShard<Text>(base: string, text: z.ZodType<Text>): Shard<Text> {
  const tensors = loadSafetensors(`${base}.safetensors`);
  for (const tensor of tensors.values()) persist(tensor);
  return { tensors, texts: readTexts(`${base}.json`, text) };
}

function readTexts<Text>(path: string, text: z.ZodType<Text>): Text[] {
  try {
    return z.array(text).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path} is damaged: delete it, and its shard is made again`, { cause });
  }
}
