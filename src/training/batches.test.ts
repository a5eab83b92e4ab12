import { afterEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../engine/device.ts";
import { engineInfo } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { Batches } from "./batches.ts";

const CONFIG = { steps: 2, accumulate: 2 };

afterEach(() => setDefaultDevice("cpu"));

/** Batches of one tensor each, and the passes that they were made for. */
function counted(): { batches: Batches; made: string[] } {
  const made: string[] = [];
  const nextBatch = (step: number, part: number): Tensor => {
    made.push(`${step}.${part}`);
    return Tensor.full([2], 10 * step + part, "float32", "cpu");
  };
  return { batches: new Batches({ nextBatch }, CONFIG), made };
}

/** Takes every batch of a run, as training does: what each held, and what was made by the end of its pass. */
function run(batches: Batches, made: readonly string[]): { values: number[]; seen: string[] } {
  const values: number[] = [];
  const seen: string[] = [];
  for (const step of [0, 1]) {
    for (const part of [0, 1]) {
      using batch = batches.take(step, part);
      batches.prepareAfter(step, part);
      seen.push(made.join(" "));
      values.push((batch.value as Tensor).max().item());
    }
  }
  return { values, seen };
}

describe("the batches of a run", () => {
  test("are made when they are taken, where the CPU computes", () => {
    const { batches, made } = counted();
    const { values, seen } = run(batches, made);
    expect(values).toEqual([0, 1, 10, 11]);
    expect(seen).toEqual(["0.0", "0.0 0.1", "0.0 0.1 1.0", "0.0 0.1 1.0 1.1"]);
  });

  test("are made one pass ahead elsewhere, each once, and none behind the last", () => {
    setDefaultDevice("cuda:0");
    const { batches, made } = counted();
    const { values, seen } = run(batches, made);
    expect(values).toEqual([0, 1, 10, 11]);
    const all = "0.0 0.1 1.0 1.1";
    expect(seen).toEqual(["0.0 0.1", "0.0 0.1 1.0", all, all]);
  });

  test("leave nothing behind, be they used, skipped or never taken", () => {
    setDefaultDevice("cuda:0");
    const before = engineInfo().liveTensors;
    {
      using batches = counted().batches;
      batches.take(0, 0)[Symbol.dispose]();
      batches.prepareAfter(0, 0);
      batches.take(1, 0)[Symbol.dispose](); // not the one that was prepared
      batches.prepareAfter(1, 0);
    }
    expect(engineInfo().liveTensors).toBe(before);
  });

  test("hand a failure to whoever takes the batch", async () => {
    setDefaultDevice("cuda:0");
    const failing = { nextBatch: async () => Promise.reject(new Error("no such picture")) };
    const batches = new Batches(failing, CONFIG);
    batches.prepareAfter(0, 0);
    await expect(batches.take(0, 1).value).rejects.toThrow("no such picture");
  });
});
