import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { Rng } from "../../src/engine/random.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import { Linear } from "../../src/nn/linear.ts";
import type { TrainConfigInput } from "../../src/training/config.ts";
import type { TrainEvent } from "../../src/training/events.ts";
import { openRunDirectory } from "../../src/training/run.ts";
import type { Losses, Stage } from "../../src/training/stage.ts";
import { train } from "../../src/training/train.ts";
import { contestedStage, tinyConfig, tinyStage, type TinyStage } from "../support/tiny-stage.ts";

function runFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

interface Options {
  readonly stage?: (stage: TinyStage) => Stage;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
}

/** Trains the tiny stage in `folder` and returns its events. */
async function trained(
  folder: string,
  settings: Partial<TrainConfigInput> = {},
  { stage = (own) => own, signal = new AbortController().signal, onEvent = () => {} }: Options = {},
): Promise<TrainEvent[]> {
  const config = tinyConfig(settings);
  using directory = openRunDirectory(folder, "tiny", config);
  const events: TrainEvent[] = [];
  for await (const event of train({ stage: stage(tinyStage(config)), config, directory, signal })) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

function only<Type extends TrainEvent["type"]>(events: readonly TrainEvent[], type: Type) {
  return events.filter(
    (event): event is Extract<TrainEvent, { type: Type }> => event.type === type,
  );
}

/** What the logs say of each step, without the clock's figures. */
function loggedSteps(folder: string): unknown[] {
  const lines = readFileSync(join(folder, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) =>
    Object.assign(JSON.parse(line), { samplesPerSecond: 0, etaSeconds: 0 }),
  );
}

function checkpointFile(folder: string, step: string, name: string): Buffer {
  return readFileSync(join(folder, "checkpoints", `checkpoint-${step}`, name));
}

function receiptIn(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, "receipt.json"), "utf8"));
}

/** The same bits of weights, averages and moments after `step` in both runs. */
function expectSameCheckpoint(a: string, b: string, step: string): void {
  for (const file of ["weights.safetensors", "ema.safetensors", "moments.safetensors"]) {
    expect(checkpointFile(a, step, file).equals(checkpointFile(b, step, file)), file).toBe(true);
  }
}

describe("a run", () => {
  test("learns, and leaves everything behind that the next stage and the reader need", async () => {
    const folder = runFolder();
    const errors = only(await trained(folder, { steps: 60 }), "step-end").map(
      ({ losses }) => losses["error"]!,
    );
    const mean = (values: readonly number[]): number =>
      values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(errors.slice(-10))).toBeLessThan(0.2 * mean(errors.slice(0, 10)));
    expect(readdirSync(folder).toSorted()).toEqual(
      [
        "checkpoints",
        "config.json",
        "metrics.jsonl",
        "receipt.json",
        "samples",
        "tensorboard",
        "weights",
      ].toSorted(),
    );
    expect(readdirSync(join(folder, "samples"))).toEqual(["step-000060-noise.png"]);
    const receipt = receiptIn(folder);
    expect(receipt).toMatchObject({
      stage: "tiny",
      steps: 60,
      samplesSeen: 480,
      dataset: "random numbers",
    });
    const weights = readFileSync(join(folder, "weights", "tiny.safetensors"));
    const averages = checkpointFile(folder, "000060", "ema.safetensors");
    expect(weights.subarray(-114 * 4).equals(averages.subarray(-114 * 4))).toBe(true);
  });

  test("keeps the last checkpoints only and points at the newest", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 10, checkpointEvery: 3, keep: 2 });
    const names = readdirSync(join(folder, "checkpoints")).toSorted();
    expect(names).toEqual(["checkpoint-000009", "checkpoint-000010", "latest"]);
    expect(readFileSync(join(folder, "checkpoints", "latest"), "utf8")).toBe("checkpoint-000010\n");
  });

  test("gives the same result in parts: 2 × 4 samples equal 8 to 1e-6", async () => {
    const [whole, parts] = [runFolder(), runFolder()];
    const one = only(await trained(whole), "step-end");
    const two = only(await trained(parts, { accumulate: 2 }), "step-end");
    one.forEach(({ losses, gradNorm }, index) => {
      expect(two[index]!.losses["error"]).toBeCloseTo(losses["error"]!, 6);
      expect(Math.abs(two[index]!.gradNorm - gradNorm)).toBeLessThan(1e-5 * (1 + gradNorm));
    });
  });

  test("asked to stop, saves where it is and ends", async () => {
    const folder = runFolder();
    const controller = new AbortController();
    const events = await trained(
      folder,
      {},
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "step-end" && event.step === 7) controller.abort();
        },
      },
    );
    expect(events.at(-1)).toMatchObject({
      type: "run-end",
      step: 7,
      reason: "stopped",
      weights: null,
    });
    expect(existsSync(join(folder, "checkpoints", "checkpoint-000007", "state.json"))).toBe(true);
    expect((await trained(folder)).at(-1)).toMatchObject({ step: 20, reason: "finished" });
  });

  test("started again when it is finished, does nothing", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 3 });
    expect((await trained(folder, { steps: 3 })).map(({ type }) => type)).toEqual([
      "run-started",
      "run-end",
    ]);
  });
});

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

describe("frozen weights", () => {
  test("are bit-identical afterwards", async () => {
    let stage: TinyStage | undefined;
    const bytes = (): Buffer[] =>
      [...stage!.teacher.parameters().values()].map((weight) => Buffer.from(weight.toBytes()));
    let before: Buffer[] = [];
    await trained(
      runFolder(),
      {},
      {
        stage: (own) => {
          stage = own;
          before = bytes();
          return own;
        },
      },
    );
    expect(bytes().every((now, index) => now.equals(before[index]!))).toBe(true);
  });

  /** A stage that writes to a frozen weight at step 3. */
  const meddling =
    (change: number) =>
    (stage: TinyStage): Stage => ({
      ...stage,
      nextBatch: (step: number, part: number) => {
        const { weight } = stage.teacher.first;
        if (step === 3)
          weight.select(0, 0).select(0, 0).copyFrom(weight.select(0, 0).select(0, 0).add(change));
        return stage.nextBatch(step, part);
      },
    });

  test("that changed are caught at the next checkpoint, which is not saved", async () => {
    const folder = runFolder();
    const attempt = trained(folder, { checkpointEvery: 5 }, { stage: meddling(0.1) });
    await expect(attempt).rejects.toThrow("training changed first.weight");
    expect(readdirSync(join(folder, "checkpoints"))).toEqual([]);
  });

  test("that changed by the last bit are caught at the end", async () => {
    const attempt = trained(runFolder(), {}, { stage: meddling(1e-7) });
    await expect(attempt).rejects.toThrow("training changed first.weight");
  });
});

describe("a step without a finite loss or gradient", () => {
  /** The tiny stage with `spoil` applied to its losses at the given steps. */
  const spoiled =
    (isSpoiled: (step: number) => boolean, spoil: (losses: Losses) => Losses) =>
    (stage: TinyStage): Stage => {
      let current = 0;
      return {
        ...stage,
        nextBatch: (step: number, part: number) => {
          current = step;
          return stage.nextBatch(step, part);
        },
        losses: (batch: Float32Array, rng) => {
          const losses = stage.losses(batch, rng);
          return isSpoiled(current) ? spoil(losses) : losses;
        },
      } satisfies Stage<Float32Array>;
    };
  const toNaN = (losses: Losses): Losses => ({
    ...losses,
    error: losses["error"]!.mul(Number.NaN),
  });
  /** √0 has a finite value and an infinite slope. */
  const toSteep = (losses: Losses): Losses => ({ error: losses["error"]!.mul(0).sqrt() });

  test.each([
    ["loss", toNaN, "error not finite"],
    ["gradient", toSteep, "gradient not finite"],
  ])("(%s) changes nothing and is counted", async (_, spoil, reason) => {
    const folder = runFolder();
    const stage = spoiled((step) => step === 4, spoil);
    const events = await trained(folder, { steps: 5, checkpointEvery: 4 }, { stage });
    expect(only(events, "step-skipped")).toEqual([
      { type: "step-skipped", step: 5, inARow: 1, reason },
    ]);
    for (const file of ["weights.safetensors", "ema.safetensors", "moments.safetensors"]) {
      const [before, after] = ["000004", "000005"].map((step) =>
        checkpointFile(folder, step, file),
      );
      expect(before!.subarray(-114 * 4).equals(after!.subarray(-114 * 4)), file).toBe(true);
    }
    expect(receiptIn(folder)).toMatchObject({
      skippedSteps: 1,
    });
  });

  test("stops the run after too many in a row, and only then", async () => {
    const pair = spoiled((step) => step % 3 !== 0, toNaN);
    expect((await trained(runFolder(), { skipLimit: 3 }, { stage: pair })).at(-1)).toMatchObject({
      reason: "finished",
    });
    const always = spoiled((step) => step >= 5, toNaN);
    await expect(trained(runFolder(), { skipLimit: 3 }, { stage: always })).rejects.toThrow(
      /stopped at step 8: 3 steps in a row had no finite loss and gradient \(error not finite\); lower learningRate/,
    );
  });
});
