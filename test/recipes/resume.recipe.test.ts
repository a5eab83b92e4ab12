import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Rng } from "../../src/engine/random.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import { Linear } from "../../src/nn/linear.ts";
import { configHash } from "../../src/training/config.ts";
import type { TrainEvent } from "../../src/training/events.ts";
import { openRunDirectory } from "../../src/training/run.ts";
import type { Stage } from "../../src/training/stage.ts";
import { contestedStage, tinyConfig, type TinyStage } from "../support/tiny-stage.ts";
import {
  checkpointFile,
  expectSameCheckpoint,
  loggedSteps,
  only,
  receiptIn,
  runFolder,
  trained,
} from "../support/trained-run.ts";

describe("resuming", () => {
  test("a killed run equals one that was never stopped, bit for bit", async () => {
    const [straight, killed] = [runFolder(), runFolder()];
    const settings = { checkpointEvery: 10, accumulate: 2, schedule: "cosine", warmup: 3 } as const;
    await trained(straight, settings);
    const script = fileURLToPath(new URL("../support/train-and-die.ts", import.meta.url));
    const child = spawnSync(process.execPath, [script, killed, "13", JSON.stringify(settings)]);
    expect(child.signal).toBe("SIGKILL");
    expect(existsSync(join(killed, "run.lock"))).toBe(true);
    const events = await trained(killed, settings);
    expect(events[0]).toMatchObject({ type: "run-started", step: 10 });
    expectSameCheckpoint(straight, killed, "000020");
    expect(loggedSteps(killed)).toEqual(loggedSteps(straight));
  });

  test("a run with critics that learn from its middle on equals one that was never stopped", async () => {
    const [straight, stopped] = [runFolder(), runFolder()];
    const settings = { steps: 16, checkpointEvery: 4 };
    const contested = { stage: () => contestedStage(tinyConfig(settings), { from: 6 }) };
    await trained(straight, settings, contested);
    const controller = new AbortController();
    const onEvent = (event: TrainEvent): void => {
      if (event.type === "step-end" && event.step === 9) controller.abort();
    };
    await trained(stopped, settings, { ...contested, signal: controller.signal, onEvent });
    await trained(stopped, settings, contested);
    expectSameCheckpoint(straight, stopped, "000016");
    for (const file of ["critics.safetensors", "critics-moments.safetensors"]) {
      const end = checkpointFile(straight, "000016", file);
      expect(checkpointFile(stopped, "000016", file).equals(end), file).toBe(true);
    }
    const before = checkpointFile(straight, "000012", "critics.safetensors");
    expect(checkpointFile(straight, "000016", "critics.safetensors").equals(before)).toBe(false);
  });

  test("a run with Muon equals one that was never stopped", async () => {
    const [straight, stopped] = [runFolder(), runFolder()];
    const settings = { optimizer: "muon", steps: 12, checkpointEvery: 4 } as const;
    // the tiny stage has no matrix that Muon would take: a square one beside it
    const stage = (own: TinyStage): Stage => {
      const square = new Linear(Rng.seed(3), 32, 32);
      const trainable = [...own.trainable, ["square", square.weight] as const];
      return {
        ...own,
        trainable: new Map(trainable),
        losses: (batch: Float32Array, rng) => ({
          ...own.losses(batch, rng),
          square: square
            .forward(Tensor.from(batch, [1, 32]))
            .square()
            .mean(),
        }),
      } satisfies Stage<Float32Array>;
    };
    await trained(straight, settings, { stage });
    const controller = new AbortController();
    const onEvent = (event: TrainEvent): void => {
      if (event.type === "step-end" && event.step === 7) controller.abort();
    };
    await trained(stopped, settings, { stage, signal: controller.signal, onEvent });
    const events = await trained(stopped, settings, { stage });
    expect(events[0]).toMatchObject({ type: "run-started", step: 7 });
    expectSameCheckpoint(straight, stopped, "000012");
    const moments = checkpointFile(straight, "000012", "moments.safetensors").toString("latin1");
    expect(moments).toContain('"momentum.square"');
    expect(moments).toContain('"mean.first.weight"');
  });

  test("the receipt tells the mean of a loss that began later over the steps that had it", async () => {
    const folder = runFolder();
    const stage = () => contestedStage(tinyConfig({ steps: 8 }), { from: 6 });
    const steps = only(await trained(folder, { steps: 8 }, { stage }), "step-end");
    const [seventh, eighth] = steps.slice(6).map(({ losses }) => losses["judge"]!);
    expect(steps[5]!.losses).not.toHaveProperty("judge");
    expect(receiptIn(folder)).toMatchObject({
      finalLosses: { meanOver: 8, judge: (seventh! + eighth!) / 2 },
    });
  });

  test("critics keep still and count no update while no loss reaches them", async () => {
    const folder = runFolder();
    const settings = { steps: 8, checkpointEvery: 4 };
    const stage = () => contestedStage(tinyConfig(settings), { from: 6 });
    await trained(folder, settings, { stage });
    const first = JSON.parse(checkpointFile(folder, "000004", "state.json").toString());
    const last = JSON.parse(checkpointFile(folder, "000008", "state.json").toString());
    expect([first.adversaryUpdates, last.adversaryUpdates]).toEqual([0, 2]);
    expect([first.updates, last.updates]).toEqual([4, 8]);
  });

  test("may ask for more steps, but not for other settings", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 5 });
    await expect(trained(folder, { steps: 10, learningRate: 0.5 })).rejects.toThrow(
      /other settings \(learningRate 0.02 became 0.5\): choose another --out/,
    );
    const asked = [
      { from: 0, steps: 5 },
      { from: 5, steps: 10 },
    ];
    const events = await trained(folder, { steps: 10, keep: 1 });
    expect(events[0]).toMatchObject({ step: 5, asked });
    expect(receiptIn(folder)).toMatchObject({ steps: 10, asked });
  });

  test("goes on with its folders elsewhere, also where it began under another hash of the same settings", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 4, stage: { cache: "here" } });
    const before = tinyConfig({ steps: 4, stage: { cache: "here" } });
    for (const name of ["config.json", "checkpoints/checkpoint-000004/state.json"]) {
      const path = join(folder, name);
      const text = readFileSync(path, "utf8");
      writeFileSync(path, text.replace(configHash(before), "an older hash"));
    }
    for (const [steps, cache] of [
      [6, "there"],
      [8, "elsewhere"],
    ] as const) {
      const events = await trained(folder, { steps, stage: { cache } });
      expect(events[0]).toMatchObject({ step: steps - 2 });
    }
    expect(receiptIn(folder)).toMatchObject({ steps: 8, configHash: "an older hash" });
  });

  test("begins anew with any settings where it has left no checkpoint", async () => {
    const folder = runFolder();
    const controller = new AbortController();
    controller.abort();
    await trained(folder, {}, { signal: controller.signal });
    const events = await trained(folder, { learningRate: 0.5 });
    expect(events[0]).toMatchObject({ step: 0, asked: [{ from: 0, steps: 20 }] });
    const { learningRate } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).config;
    expect(learningRate).toBe(0.5);
    rmSync(join(folder, "checkpoints"), { recursive: true });
    await expect(trained(folder)).rejects.toThrow("holds a run with other settings");
  });

  test("refuses fewer steps than are done, and writes nothing", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 6 });
    const files = ["config.json", "metrics.jsonl", "receipt.json"];
    const content = (): string[] => files.map((name) => readFileSync(join(folder, name), "utf8"));
    const before = content();
    await expect(trained(folder, { steps: 3 })).rejects.toThrow(
      /holds a run of 6 steps, more than 3: ask for at least as many, or choose another --out/,
    );
    expect(content()).toEqual(before);
    expect((await trained(folder, { steps: 6 })).at(-1)).toMatchObject({ reason: "finished" });
  });

  test("says nothing of the steps that it was asked for where they were always as many", async () => {
    const folder = runFolder();
    const stop = new AbortController();
    const onEvent = ({ type }: TrainEvent): void => {
      if (type === "step-end") stop.abort();
    };
    await trained(folder, { steps: 10 }, { signal: stop.signal, onEvent });
    expect((await trained(folder, { steps: 10 }))[0]).toMatchObject({ step: 1 });
    expect(receiptIn(folder)).not.toHaveProperty("asked");
  });

  test("refuses other frozen weights than it began with", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 5 });
    const changed = (stage: TinyStage): Stage => {
      stage.teacher.second.weight.copyFrom(Tensor.zeros([2, 16]));
      return stage;
    };
    await expect(trained(folder, { steps: 10 }, { stage: changed })).rejects.toThrow(
      "other frozen weights",
    );
  });

  test.each([
    ["cut off", (path: string) => truncateSync(join(path, "moments.safetensors"), 900)],
    ["changed", (path: string) => writeFileSync(join(path, "ema.safetensors"), Buffer.alloc(800))],
    ["without its state", (path: string) => rmSync(join(path, "state.json"))],
    ["with half its state", (path: string) => truncateSync(join(path, "state.json"), 40)],
    ["without a file", (path: string) => rmSync(join(path, "weights.safetensors"))],
  ])("falls back from a newest checkpoint %s to the one before, and says so", async (_, damage) => {
    const [straight, folder] = [runFolder(), runFolder()];
    await trained(straight, { checkpointEvery: 4, steps: 12 });
    await trained(folder, { checkpointEvery: 4, steps: 8 });
    const newest = join(folder, "checkpoints", "checkpoint-000008");
    damage(newest);
    const events = await trained(folder, { checkpointEvery: 4, steps: 12 });
    expect(events[0]).toMatchObject({ type: "checkpoint-damaged", path: newest });
    expect(events[1]).toMatchObject({ type: "run-started", step: 4 });
    expectSameCheckpoint(straight, folder, "000012");
  });

  test("a checkpoint that was being written when the process was killed is swept away", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 4 });
    const partial = join(folder, "checkpoints", "checkpoint-000006.partial");
    mkdirSync(partial);
    writeFileSync(join(partial, "weights.safetensors"), "half");
    const events = await trained(folder, { steps: 8 });
    expect(events[0]).toMatchObject({ type: "run-started", step: 4 });
    expect(existsSync(partial)).toBe(false);
  });

  test("says what to do when no checkpoint can be read", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 2 });
    rmSync(join(folder, "checkpoints", "checkpoint-000002", "state.json"));
    await expect(trained(folder, { steps: 4 })).rejects.toThrow(
      "delete the run directory to start again",
    );
  });
});

test("two runs cannot write one directory", async () => {
  const folder = runFolder();
  using _ = openRunDirectory(folder, "tiny", tinyConfig());
  await expect(trained(folder)).rejects.toThrow("is training in this directory");
});
