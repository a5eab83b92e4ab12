import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { DrawnItem } from "./drawn-item.ts";
import * as scenes from "./scene-items.ts";
import { openWorldShards, type WorldPlan } from "./world-shards.ts";
import { worldDigest } from "./world-source.ts";

const source = { split: "validation", size: 32, count: 5 } as const;

/** The first byte of each item's picture, with its caption. */
function firstBytes(from: number): WorldPlan<scenes.SceneKind, string> {
  return {
    name: "bytes",
    what: "first bytes",
    madeBy: `${from}-me`,
    items: {
      kind: { split: "validation", frames: 1 },
      draw: scenes.draw,
      module: new URL("scene-items.ts", import.meta.url),
      from,
    },
    shardSize: 2,
    text: z.string(),
    make: (items: readonly DrawnItem[], first) => ({
      tensors: new Map([
        [
          "byte",
          Tensor.from(
            items.map(({ frames }) => frames[0]![0]!),
            [items.length],
          ),
        ],
        [
          "number",
          Tensor.from(
            items.map((_, row) => first + row),
            [items.length],
          ),
        ],
      ]),
      texts: items.map(({ text }) => z.string().parse(text)),
    }),
  };
}

test("a cache of the world holds what is made of its items, from any one on, and tells how far it is", async () => {
  const folder = temporaryFolder();
  const told: string[] = [];
  const cache = await openWorldShards({ ...source, folder }, firstBytes(3), (progress) => {
    told.push(`${progress.what} ${progress.done}/${progress.total}`);
  });
  const wanted = [0, 1, 2, 3, 4].map((index) =>
    scenes.draw({ split: "validation", frames: 1 }, 3 + index, 32),
  );
  const all = cache.firstIndices(5);
  expect([...cache.gather("byte", all).toFloat32Array()]).toEqual(
    wanted.map(({ frames }) => frames[0]![0]),
  );
  expect([...cache.gather("number", all).toFloat32Array()]).toEqual(all);
  expect(all.map((index) => cache.text(index))).toEqual(wanted.map(({ text }) => text));
  expect(told).toEqual([2, 4, 5].map((done) => `validation first bytes ${done}/5`));
});

test("caches of other makers, splits, sizes and worlds lie in folders of their own, under names that stay", async () => {
  const folder = temporaryFolder();
  await openWorldShards({ ...source, folder }, firstBytes(0));
  await openWorldShards({ ...source, folder }, firstBytes(1));
  await openWorldShards({ ...source, folder, size: 48 }, firstBytes(0));
  expect(readdirSync(folder).toSorted()).toEqual(
    [
      `bytes-validation-48-${worldDigest(48)}-0-me`,
      `bytes-validation-32-${worldDigest(32)}-0-me`,
      `bytes-validation-32-${worldDigest(32)}-1-me`,
    ].toSorted(),
  );
});
