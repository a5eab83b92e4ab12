import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TinyStage } from "../../test/support/tiny-stage.ts";
import { only, receiptIn, runFolder, trained } from "../../test/support/trained-run.ts";
import type { Stage } from "./stage.ts";

test("a receipt tells the mean losses of the last hundred logged steps, and the last validation", async () => {
  const folder = runFolder();
  const events = await trained(folder, { steps: 130, validateEvery: 50 });
  const last = only(events, "step-end").slice(30);
  const mean = (name: string): number =>
    last.reduce((sum, { losses }) => sum + losses[name]!, 0) / 100;
  const validations = only(events, "validation-end");
  expect(validations.map(({ step }) => step)).toEqual([50, 100, 130]);
  const { finalLosses, validation } = receiptIn(folder) as Record<string, Record<string, number>>;
  expect(validation).toEqual(validations[2]!.numbers);
  expect(validation).not.toEqual(validations[0]!.numbers);
  expect(finalLosses!["meanOver"]).toBe(100);
  for (const name of ["error", "size"]) expect(finalLosses![name]).toBeCloseTo(mean(name), 10);
});

test("a receipt counts every skipped step, and the values that were trained and that were not", async () => {
  const folder = runFolder();
  let step = 0;
  const spoiled = (own: TinyStage): Stage =>
    ({
      ...own,
      frozen: new Map([["teacher", own.teacher.second.weight]]),
      nextBatch: (number: number, part: number) => {
        step = number;
        return own.nextBatch(number, part);
      },
      losses: (batch, rng) => {
        const losses = own.losses(batch, rng);
        return [2, 5].includes(step) ? { ...losses, error: losses["error"]!.mul(NaN) } : losses;
      },
    }) satisfies Stage<Float32Array>;
  await trained(folder, { steps: 9 }, { stage: spoiled });
  expect(receiptIn(folder)).toMatchObject({
    steps: 9,
    skippedSteps: 2,
    trainableValues: 4 * 16 + 16 + 16 * 2 + 2,
    frozenValues: 16 * 2,
  });
});

test("a receipt tells the time of all sessions", async () => {
  const folder = runFolder();
  await trained(folder, { steps: 3 });
  const path = join(folder, "checkpoints", "checkpoint-000003", "state.json");
  const state = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...state, seconds: 5000 }));
  await trained(folder, { steps: 6 });
  const { wallSeconds } = receiptIn(folder) as { wallSeconds: number };
  expect(wallSeconds).toBeGreaterThanOrEqual(5000);
});
