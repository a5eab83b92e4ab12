import { expect, test } from "vitest";
import { standInModel, type Evaluation } from "../../../test/editing/stand-in-model.ts";
import { calibrate } from "./calibration.ts";

test("a method is tried once, by the networks that edit by it", async () => {
  const tried: string[] = [];
  const onPredict = ({ by, frames }: Evaluation): void => void tried.push(`${by}, ${frames}`);
  const model = standInModel({ hasAlignment: true, onPredict });
  const wanted = [
    ["frame-by-frame", "edit teacher, 4"],
    ["stacked", "stack, 4"],
    ["aligned", "student, 4"],
  ] as const;
  for (const [method, by] of wanted) {
    tried.length = 0;
    const first = await calibrate(model, { method, task: "style" });
    expect(new Set(tried)).toEqual(new Set([by]));
    tried.length = 0;
    expect(await calibrate(model, { method, task: "style" })).toEqual(first);
    expect(tried).toEqual([]);
  }
});

test("what a frame takes is told in seconds: the trial of several took longer", async () => {
  const settings = { method: "stacked", task: "style" } as const;
  await calibrate(standInModel(), settings); // the engine's first work takes seconds
  const start = performance.now();
  const calibration = await calibrate(standInModel(), settings);
  const elapsed = (performance.now() - start) / 1000;
  const { stepSeconds, pictureSeconds, detailSeconds } = calibration;
  for (const seconds of [stepSeconds, pictureSeconds, detailSeconds])
    expect(seconds).toBeGreaterThan(0);
  // two runs of four frames of each
  expect(8 * (stepSeconds + pictureSeconds)).toBeLessThan(elapsed);
});
