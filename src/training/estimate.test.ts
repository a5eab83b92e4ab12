import { expect, test } from "vitest";
import { tinyConfig, tinyStage } from "../../test/support/tiny-stage.ts";
import { Tensor } from "../engine/tensor.ts";
import { estimate } from "./estimate.ts";

test("counts what weights, gradients, moments and averages take, and measures real steps", async () => {
  const config = tinyConfig({ steps: 1000 });
  const found = await estimate(tinyStage(config), config);
  const values = 4 * 16 + 16 + 16 * 2 + 2;
  expect(found).toMatchObject({
    trainableValues: values,
    frozenValues: values,
    weightBytes: 2 * 4 * values,
    gradientBytes: 4 * values,
    optimizerBytes: 8 * values,
    emaBytes: 4 * values,
    checkpointBytes: 16 * values,
  });
  expect(found.secondsPerStep).toBeGreaterThan(0);
  expect(found.totalSeconds).toBeCloseTo(1000 * found.secondsPerStep, 9);
  expect(found.samplesPerSecond).toBeCloseTo(8 / found.secondsPerStep, 6);
  expect(found.peakBytes).toBeGreaterThanOrEqual(found.stepBytes);
});

test("measures a step of each phase that the run comes to, and counts critics", async () => {
  const config = tinyConfig({ steps: 10 });
  const whole = tinyStage(config);
  const seen: number[] = [];
  const stage = {
    ...whole,
    phases: [0, 4, 20],
    nextBatch: (step: number, part: number) => (seen.push(step), whole.nextBatch(step, part)),
    adversaries: { trainable: new Map([["w", Tensor.zeros([5])]]), learningRate: 0, betas: [0, 0] },
  } as const;
  const found = await estimate(stage, config);
  expect(seen.filter((step) => step < 2 || step >= 4).slice(0, 4)).toEqual([0, 1, 4, 5]);
  expect(Math.max(...seen)).toBeLessThan(4 + 8);
  const plain = await estimate(whole, config);
  expect(found.checkpointBytes - plain.checkpointBytes).toBe(3 * 4 * 5);
  expect(found.totalSeconds).toBeCloseTo(10 * found.secondsPerStep, 9);
  expect((await estimate(whole, tinyConfig({ steps: 1 }))).totalSeconds).toBeGreaterThan(0);
});
