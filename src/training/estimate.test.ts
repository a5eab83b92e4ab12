import { expect, test } from "vitest";
import { tinyConfig, tinyStage } from "../../test/support/tiny-stage.ts";
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
