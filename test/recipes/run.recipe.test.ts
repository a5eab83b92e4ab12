import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Losses, Stage } from "../../src/training/stage.ts";
import type { TrainEvent } from "../../src/training/events.ts";
import { type TinyStage } from "../support/tiny-stage.ts";
import {
  checkpointFile,
  loggedSteps,
  only,
  receiptIn,
  runFolder,
  trained,
} from "../support/trained-run.ts";

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

  test("logs every so many steps", async () => {
    const folder = runFolder();
    await trained(folder, { steps: 10, logEvery: 4, validateEvery: 5 });
    const logged = loggedSteps(folder) as { type: string; step: number }[];
    const stepsOf = (wanted: string): number[] =>
      logged.filter(({ type }) => type === wanted).map(({ step }) => step);
    expect(stepsOf("step-end")).toEqual([4, 8]);
    expect(stepsOf("validation-end")).toEqual([5, 10]);
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

  test("gives the same result in parts of other sizes, each of which counts by its samples", async () => {
    const sizes = [5, 0, 2, 1];
    const uneven = (whole: TinyStage): Stage =>
      ({
        ...whole,
        samplesIn: (_, part) => sizes[part]!,
        nextBatch: (step: number, part: number) => {
          const first = sizes.slice(0, part).reduce((sum, size) => sum + size, 0);
          const all = Array.from({ length: 4 }, (_, own) => [...whole.nextBatch(step, own)]).flat();
          return Float32Array.from(all.slice(4 * first, 4 * (first + sizes[part]!)));
        },
      }) satisfies Stage<Float32Array>;
    const one = only(await trained(runFolder()), "step-end");
    const parts = only(
      await trained(runFolder(), { accumulate: 4 }, { stage: uneven }),
      "step-end",
    );
    one.forEach(({ losses, gradNorm }, index) => {
      expect(parts[index]!.losses["error"]).toBeCloseTo(losses["error"]!, 6);
      expect(Math.abs(parts[index]!.gradNorm - gradNorm)).toBeLessThan(1e-5 * (1 + gradNorm));
    });
  });

  test("counts in its receipt the samples that its steps showed", async () => {
    const folder = runFolder();
    const fewer = (own: TinyStage): Stage =>
      ({
        ...own,
        samplesIn: (step) => (step < 6 ? 8 : 2),
        nextBatch: (step: number, part: number) =>
          own.nextBatch(step, part).subarray(0, step < 6 ? 32 : 8),
      }) satisfies Stage<Float32Array>;
    await trained(folder, { steps: 10 }, { stage: fewer });
    expect(receiptIn(folder)).toMatchObject({ samplesSeen: 6 * 8 + 4 * 2 });
  });

  test("tells the norm of a term's gradient over all parts of a step", async () => {
    const norms = [3, 4];
    const watched = (stage: TinyStage): Stage => ({
      ...stage,
      takeGradients: () => ({ error: norms.shift()! }),
    });
    const settings = { steps: 1, accumulate: 2 };
    const folder = runFolder();
    const [step] = only(await trained(folder, settings, { stage: watched }), "step-end");
    expect(step!.termGradients).toEqual({ error: 5 });
    const [events] = readdirSync(join(folder, "tensorboard"));
    const logged = readFileSync(join(folder, "tensorboard", events!), "latin1");
    for (const tag of ["loss/error", "gradient/error"]) expect(logged).toContain(tag);
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
      /stopped at step 8: 3 steps in a row had no finite loss and gradient \(error not finite\); start anew in another --out with a lower learningRate or clip$/,
    );
    const rough = { skipLimit: 1, precision: "bfloat16" } as const;
    await expect(trained(runFolder(), rough, { stage: always })).rejects.toThrow(
      /learningRate or clip, or with precision=float32$/,
    );
  });

  test("is told and logged, also the one that ends the run", async () => {
    const folder = runFolder();
    const events: TrainEvent[] = [];
    const stage = spoiled((step) => step >= 2, toNaN);
    const onEvent = (event: TrainEvent): void => void events.push(event);
    const attempt = trained(folder, { skipLimit: 2 }, { stage, onEvent });
    await expect(attempt).rejects.toThrow("stopped at step 4");
    expect(events.at(-1)).toMatchObject({ type: "step-skipped", step: 4, inARow: 2 });
    expect(loggedSteps(folder).at(-1)).toMatchObject({ type: "step-skipped", step: 4 });
  });

  test("has no checkpoint: those from before stay, and the one that was due follows the next good step", async () => {
    const folder = runFolder();
    const stage = spoiled((step) => step >= 4 && step < 8, toNaN);
    const events = await trained(folder, { steps: 12, checkpointEvery: 2, keep: 9 }, { stage });
    expect(only(events, "checkpoint-saved").map(({ step }) => step)).toEqual([2, 4, 9, 10, 12]);
  });
});

describe("a validation that is not finite", () => {
  /** The tiny stage with a validation that has no number from the given step on. */
  const blind = (from: number) => (own: TinyStage) => {
    let current = 0;
    return {
      ...own,
      nextBatch: (step: number, part: number) => {
        current = step + 1;
        return own.nextBatch(step, part);
      },
      validate: () => ({ error: current < from ? 1 : Number.NaN }),
    } satisfies Stage<Float32Array>;
  };

  test("at the end fails the run: no weights, no receipt, no checkpoint of it", async () => {
    const folder = runFolder();
    const attempt = trained(folder, { steps: 4, validateEvery: 1 }, { stage: blind(4) });
    await expect(attempt).rejects.toThrow(
      /ended after step 4 with a validation that is not finite \(error\): start anew in another --out/,
    );
    expect(readdirSync(folder)).not.toContain("receipt.json");
    expect(readdirSync(folder)).not.toContain("weights");
    expect(readdirSync(join(folder, "checkpoints"))).toEqual([]);
  });

  test("stands in a checkpoint's receipt as nothing, and is not replaced by an earlier one", async () => {
    const folder = runFolder();
    const settings = { steps: 4, validateEvery: 1, checkpointEvery: 3 };
    await expect(trained(folder, settings, { stage: blind(3) })).rejects.toThrow("not finite");
    const receipt = JSON.parse(checkpointFile(folder, "000003", "receipt.json").toString());
    expect(receipt).toMatchObject({ steps: 3, validation: { error: null } });
  });
});
