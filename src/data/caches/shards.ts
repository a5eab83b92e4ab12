import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { replaceFile } from "../../engine/replace-file.ts";
import { defaultDevice } from "../../engine/device.ts";
import { DataError } from "../../engine/errors.ts";
import { loadSafetensors, saveSafetensors } from "../../engine/safetensors.ts";
import { persist, tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { CacheProgress } from "./cache-progress.ts";

/** One piece of a cache: tensors whose first axis counts its items, and a record of text per item. */
export interface Shard<Text> {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly texts: readonly Text[];
}

/** How a cache is made, piece by piece; `prepare` is pure in the index range. */
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
  /** Draws what a shard is made of, beside the making of the one before; gives the step that makes it. */
  readonly prepare: (first: number, count: number) => Promise<() => Shard<Text>>;
}

/** Items by number, each with tensors by name and a record of text. */
export interface CachedItems<Text> {
  readonly count: number;
  text(index: number): Text;
  /** The first indices, `limit` of them or as many as there are. */
  firstIndices(limit: number): number[];
  /** The tensor `name` of the items that `indices` names, stacked, in float32. */
  gather(name: string, indices: readonly number[]): Tensor;
}

/**
 * Precomputed items on disk: tensors, float16 or bytes, with their texts; memory-mapped on the CPU, resident on other
 * devices.
 */
export class ShardedCache<Text> implements CachedItems<Text> {
  readonly count: number;
  readonly #shards: readonly Shard<Text>[];
  /** The number of each shard's first item. */
  readonly #starts: readonly number[];

  constructor(shards: readonly Shard<Text>[]) {
    const starts: number[] = [];
    let count = 0;
    for (const { texts } of shards) {
      starts.push(count);
      count += texts.length;
    }
    this.#shards = shards;
    this.#starts = starts;
    this.count = count;
  }

  text(index: number): Text {
    const { shard, row } = this.#locate(index);
    return shard.texts[row]!;
  }

  firstIndices(limit: number): number[] {
    return Array.from({ length: Math.min(limit, this.count) }, (_, index) => index);
  }

  gather(name: string, indices: readonly number[]): Tensor {
    const [only, ...others] = this.#shards;
    if (only && others.length === 0) {
      const rows = Tensor.from(indices, [indices.length], "int64");
      return only.tensors.get(name)!.indexSelect(0, rows).to("float32");
    }
    const rows = indices.map((index) => {
      const { shard, row } = this.#locate(index);
      return shard.tensors.get(name)!.narrow(0, row, 1);
    });
    return Tensor.cat(rows, 0).to("float32");
  }

  #locate(index: number): { shard: Shard<Text>; row: number } {
    const number = this.#starts.findLastIndex((start) => start <= index);
    return { shard: this.#shards[number]!, row: index - this.#starts[number]! };
  }
}

/** Opens a cache; shards that are missing are made first, each whole or not at all. */
export async function openShards<Text>(
  plan: ShardPlan<Text>,
  report: (progress: CacheProgress) => void = () => {},
): Promise<ShardedCache<Text>> {
  const { folder, what, count, shardSize, prepare, text } = plan;
  mkdirSync(folder, { recursive: true });
  const spans = spansOf(folder, count, shardSize);
  const missing = spans.filter(({ base }) => !existsSync(`${base}.json`));
  const made = new Set(missing);
  const begin = (): Promise<() => Shard<Text>> | undefined => {
    const span = missing.shift();
    const started = span && prepare(span.first, span.size);
    started?.catch(() => {}); // it is awaited in its turn, unless an earlier shard fails
    return started;
  };
  let next = begin();
  const shards: Shard<Text>[] = [];
  for (const span of spans) {
    const { first, size, base } = span;
    if (made.has(span)) {
      const make = await next!;
      next = begin();
      // Another process may have made it since
      if (!existsSync(`${base}.json`)) writeShard(base, make);
      await setImmediate();
    }
    shards.push(openShard(base, text));
    report({ type: "cache-progress", what, done: first + size, total: count });
  }
  return cacheOf(shards);
}

/** The path of a shard without an ending; its name tells which items it holds. */
export function shardPath(folder: string, first: number, size: number): string {
  return join(folder, `${String(first).padStart(7, "0")}-${size}`);
}

/**
 * The texts of all shards in a folder that grew shard by shard, each beginning where the one before ends.
 *
 * Empty where there is no shard yet.
 */
export function readShardTexts<Text>(folder: string, text: z.ZodType<Text>): Text[] {
  return shardsIn(folder).flatMap((base) => readTexts(`${base}.json`, text));
}

/** Opens all shards in a folder that grew shard by shard; none is made. */
export function readShards<Text>(folder: string, text: z.ZodType<Text>): ShardedCache<Text> {
  return cacheOf(shardsIn(folder).map((base) => openShard(base, text)));
}

/** The paths of whole shards, without an ending, in order. */
function shardsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const named = readdirSync(folder).map((name) => /^(\d{7,})-(\d+)\.json$/.exec(name));
  const spans = named
    .flatMap((match) => (match ? [{ first: Number(match[1]), size: Number(match[2]) }] : []))
    .toSorted((a, b) => a.first - b.first);
  let end = 0;
  return spans.map(({ first, size }) => {
    if (first !== end) {
      throw new DataError(
        `expected a shard in ${folder} that begins with item ${end}, found one with item ${first}: delete those from ${Math.min(first, end)} on, and they are made again`,
      );
    }
    end = first + size;
    return shardPath(folder, first, size);
  });
}

function cacheOf<Text>(shards: readonly Shard<Text>[]): ShardedCache<Text> {
  return new ShardedCache(defaultDevice() === "cpu" ? shards : [joined(shards)]);
}

/** The items of one shard, and its path without an ending. */
interface Span {
  readonly first: number;
  readonly size: number;
  readonly base: string;
}

function spansOf(folder: string, count: number, shardSize: number): Span[] {
  return Array.from({ length: Math.ceil(count / shardSize) }, (_, shard) => {
    const first = shard * shardSize;
    const size = Math.min(shardSize, count - first);
    return { first, size, base: shardPath(folder, first, size) };
  });
}

/** All shards as one, so that one operator gathers a batch. */
function joined<Text>(shards: readonly Shard<Text>[]): Shard<Text> {
  const names = [...(shards[0]?.tensors.keys() ?? [])];
  const whole = (name: string): Tensor =>
    persist(
      Tensor.cat(
        shards.map(({ tensors }) => tensors.get(name)!),
        0,
      ),
    );
  return {
    tensors: new Map(names.map((name) => [name, whole(name)])),
    texts: shards.flatMap(({ texts }) => texts),
  };
}

/** Writes a shard at a path without an ending. Its texts come last, under their final name: it is there when they are. */
export function writeShard<Text>(base: string, make: () => Shard<Text>): void {
  using _ = tensorScope();
  const shard = make();
  saveSafetensors(`${base}.safetensors`, shard.tensors, { dtype: "float16" });
  replaceFile(`${base}.json`, JSON.stringify(shard.texts));
}

function openShard<Text>(base: string, text: z.ZodType<Text>): Shard<Text> {
  const texts = readTexts(`${base}.json`, text);
  const tensors = readTensors(base, texts.length);
  for (const tensor of tensors.values()) persist(tensor);
  return { tensors, texts };
}

/** The tensors of as many items as there are texts. */
function readTensors(base: string, items: number): ReadonlyMap<string, Tensor> {
  const tensors = tensorsIn(base);
  if ([...tensors.values()].every(({ shape }) => shape[0] === items)) return tensors;
  throw damagedTensors(base);
}

function tensorsIn(base: string): ReadonlyMap<string, Tensor> {
  try {
    return loadSafetensors(`${base}.safetensors`);
  } catch (cause) {
    throw cause instanceof DataError ? damagedTensors(base, cause) : cause;
  }
}

function damagedTensors(base: string, cause?: DataError): DataError {
  return new DataError(
    `${base}.safetensors is damaged: delete ${base}.json, and its shard is made again`,
    { cause },
  );
}

function readTexts<Text>(path: string, text: z.ZodType<Text>): Text[] {
  try {
    return z.array(text).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path} is damaged: delete it, and its shard is made again`, { cause });
  }
}
