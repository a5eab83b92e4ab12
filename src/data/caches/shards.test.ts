import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import {
  openShards,
  readShards,
  readShardTexts,
  shardPath,
  writeShard,
  type Shard,
  type ShardPlan,
} from "./shards.ts";

const root = temporaryFolder();
let folders = 0;

interface Recorded {
  readonly plan: ShardPlan<string>;
  /** The first index of each shard made. */
  readonly made: number[];
}

/** Ten items in shards of four; item i holds `[i, i + 0.5]` and the text `item i`. */
function numbers(fail: (first: number) => void = () => {}): Recorded {
  const made: number[] = [];
  const make = (first: number, count: number): Shard<string> => {
    fail(first);
    made.push(first);
    const indices = Array.from({ length: count }, (_, i) => first + i);
    const pair = Tensor.from(
      indices.flatMap((i) => [i, i + 0.5]),
      [count, 2],
    );
    return { tensors: new Map([["pair", pair]]), texts: indices.map((i) => `item ${i}`) };
  };
  const folder = join(root, String(folders++));
  const prepare: ShardPlan<string>["prepare"] = async (start, count) => () => make(start, count);
  const plan = { folder, what: "numbers", count: 10, shardSize: 4, text: z.string(), prepare };
  return { plan, made };
}

test("gather and text give what was stored, in any order and across shards", async () => {
  const cache = await openShards(numbers().plan);
  expect(cache.count).toBe(10);
  expect([...cache.gather("pair", [9, 0, 4, 9]).toFloat32Array()]).toEqual([
    9, 9.5, 0, 0.5, 4, 4.5, 9, 9.5,
  ]);
  expect(cache.gather("pair", [1]).dtype).toBe("float32");
  expect([3, 4, 9].map((index) => cache.text(index))).toEqual(["item 3", "item 4", "item 9"]);
});

test("shards are made once, and progress tells how many items there are", async () => {
  const { plan, made } = numbers();
  const done: number[] = [];
  await openShards(plan, (progress) => done.push(progress.done));
  const again = await openShards(plan);
  expect(made).toEqual([0, 4, 8]);
  expect(done).toEqual([4, 8, 10]);
  expect(again.text(9)).toBe("item 9");
});

test("a shard that another process makes meanwhile is taken as it is, and no other is mistaken for it", async () => {
  const { plan } = numbers();
  const others: Promise<unknown>[] = [];
  const { prepare } = plan;
  const slow: typeof plan = {
    ...plan,
    prepare: async (first, count) => {
      if (first === 0) others.push(openShards({ ...plan, count: 8 }));
      await Promise.all(others);
      return await prepare(first, count);
    },
  };
  const cache = await openShards(slow);
  expect([0, 5, 9].map((index) => cache.text(index))).toEqual(["item 0", "item 5", "item 9"]);
  expect([...cache.gather("pair", [0, 5, 9]).toFloat32Array()]).toEqual([0, 0.5, 5, 5.5, 9, 9.5]);
});

test("a cache outlives the scope in which it was read", async () => {
  const cache = await openShards(numbers().plan);
  {
    using _ = tensorScope();
    cache.gather("pair", [5]);
  }
  expect([...cache.gather("pair", [5]).toFloat32Array()]).toEqual([5, 5.5]);
});

test("an error while a shard is made leaves those before it, and the next opening makes the rest", async () => {
  let isBroken = true;
  const { plan, made } = numbers((first) => {
    if (first === 4 && isBroken) throw new Error("the power went");
  });
  await expect(openShards(plan)).rejects.toThrow("the power went");
  expect(readdirSync(plan.folder).toSorted()).toEqual(["0000000-4.json", "0000000-4.safetensors"]);
  isBroken = false;
  expect((await openShards(plan)).text(7)).toBe("item 7");
  expect(made).toEqual([0, 4, 8]);
});

test("tensors whose texts were never written are no shard: it is made again", async () => {
  const { plan, made } = numbers();
  const circular: unknown[] = [];
  circular.push(circular);
  const broken: ShardPlan<string> = {
    ...plan,
    prepare: async (first, count) => {
      const make = await plan.prepare(first, count);
      return () => ({ ...make(), texts: circular as string[] });
    },
  };
  await expect(openShards(broken)).rejects.toThrow(TypeError);
  expect(readdirSync(plan.folder)).toEqual(["0000000-4.safetensors"]);
  expect((await openShards(plan)).text(0)).toBe("item 0");
  expect(made).toEqual([0, 0, 4, 8]);
});

test.each([
  ["cut off", '["item 0"'],
  ["of another kind", "[1, 2, 3, 4]"],
])("texts that are %s are refused, with what to do", async (_, text) => {
  const { plan } = numbers();
  await openShards(plan);
  const path = join(plan.folder, "0000000-4.json");
  writeFileSync(path, text);
  await expect(openShards(plan)).rejects.toThrow(
    new DataError(`${path} is damaged: delete it, and its shard is made again`),
  );
});

test.each([
  ["gone", (path: string) => rmSync(path)],
  ["cut off", (path: string) => truncateSync(path, 100)],
  ["of other items", (path: string) => saveSafetensors(path, new Map([["n", Tensor.ones([3])]]))],
])("tensors that are %s are refused, with what to do", async (_, damage) => {
  const { plan } = numbers();
  await openShards(plan);
  const base = join(plan.folder, "0000000-4");
  damage(`${base}.safetensors`);
  await expect(openShards(plan)).rejects.toThrow(
    new DataError(
      `${base}.safetensors is damaged: delete ${base}.json, and its shard is made again`,
    ),
  );
  rmSync(`${base}.json`);
  expect((await openShards(plan)).count).toBe(plan.count);
});

describe("a folder that grows shard by shard", () => {
  const folder = join(root, "growing");
  mkdirSync(folder);
  for (const [first, size] of [
    [0, 3],
    [3, 1],
    [4, 2],
  ] as const) {
    const numbered = Array.from({ length: size }, (_, i) => first + i);
    writeShard(shardPath(folder, first, size), () => ({
      tensors: new Map([["number", Tensor.from(numbered, [size, 1])]]),
      texts: numbered.map((i) => `item ${i}`),
    }));
  }

  test("is read as one, whatever the shards' sizes", () => {
    const cache = readShards(folder, z.string());
    expect(cache.count).toBe(6);
    expect([...cache.gather("number", [5, 0, 3, 2, 4]).toFloat32Array()]).toEqual([5, 0, 3, 2, 4]);
    expect([0, 2, 3, 4, 5].map((i) => cache.text(i))).toEqual(
      [0, 2, 3, 4, 5].map((i) => `item ${i}`),
    );
    expect(readShardTexts(folder, z.string())).toHaveLength(6);
  });

  test("that is not there holds nothing", () => {
    expect(readShardTexts(join(root, "nowhere"), z.string())).toEqual([]);
    expect(readShards(join(root, "nowhere"), z.string()).count).toBe(0);
  });

  test("with a hole is refused, with what to do", () => {
    rmSync(`${shardPath(folder, 3, 1)}.json`);
    expect(() => readShards(folder, z.string())).toThrow(
      new DataError(
        `expected a shard in ${folder} that begins with item 3, found one with item 4: delete those from 3 on, and they are made again`,
      ),
    );
  });
});
