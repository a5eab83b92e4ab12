import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { openShards } from "../data/caches/shards.ts";
import { Tensor } from "../engine/tensor.ts";
import { openStage, resolveConfig, type Stage, type StageEntry } from "./stage.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "eve-stage-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A stage whose cache has four pieces, and that cannot be opened further. */
function preparing(made: number[]): StageEntry {
  const prepare = async (first: number) => () => {
    made.push(first);
    return { tensors: new Map([["x", Tensor.from([first], [1])]]), texts: ["a"] };
  };
  const open: StageEntry["open"] = async (_, { progress }): Promise<Stage> => {
    const plan = { folder, what: "pieces", count: 4, shardSize: 1, text: z.string(), prepare };
    await openShards(plan, ({ what, done, total }) => progress(what, done, total));
    throw new Error("prepared");
  };
  return { description: "", config: { steps: 1, batch: 1, learningRate: 1 }, open };
}

test("a preparation that is stopped keeps what it has made, and goes on from there", async () => {
  const made: number[] = [];
  const entry = preparing(made);
  const config = resolveConfig(entry);
  const stopper = new AbortController();
  const reason = new Error("stopped");
  const stopAtSecond = (_: string, done: number): void => {
    if (done === 2) stopper.abort(reason);
  };

  const stopped = openStage(entry, config, { signal: stopper.signal, progress: stopAtSecond });
  await expect(stopped).rejects.toBe(reason);
  expect(made).toEqual([0, 1]);
  expect(readdirSync(folder).filter((file) => file.endsWith(".json"))).toHaveLength(2);

  const free = { signal: new AbortController().signal, progress: () => {} };
  await expect(openStage(entry, config, free)).rejects.toThrow("prepared");
  expect(made).toEqual([0, 1, 2, 3]);
});
