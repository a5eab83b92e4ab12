import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { normal, Rng } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { networkDenoiser, timeLabels } from "./denoiser.ts";
import { createSchedule, matchTime } from "./schedule.ts";

const schedule = createSchedule();
const xt = normal(Rng.seed(2), [3, 2, 2]);

describe("networkDenoiser", () => {
  test("splits xt the way the output says", () => {
    const denoiser = networkDenoiser({ schedule, kind: "v", network: (x) => x.mul(0.3) });
    const { x0, noise } = denoiser.predict(xt, 400, null);
    expect(largestDifference(schedule.addNoise(x0, noise, 400), xt)).toBeLessThan(1e-6);
    const wanted = xt.mul(schedule.alpha(400) - 0.3 * schedule.sigma(400));
    expect(largestDifference(x0, wanted)).toBeLessThan(1e-6);
  });

  test("gives the network one label a batch entry, and the condition", () => {
    const seen: unknown[] = [];
    const network = (x: Tensor, labels: Tensor, condition: string): Tensor => {
      seen.push([...labels.toFloat32Array()], condition);
      return x;
    };
    networkDenoiser({ schedule, kind: "x0", network }).predict(xt, 7, "a fox");
    expect(seen).toEqual([[7, 7, 7], "a fox"]);
  });
});

test("a network trained on another schedule is told noise by the label it knows it by", () => {
  const trainedOn = createSchedule({ kind: "linear" });
  const labels = timeLabels(xt, 500, { schedule, trainedOn });
  expect(labels.shape).toEqual([xt.shape[0]]);
  expect(labels.toFloat32Array()[0]).toBeCloseTo(matchTime(schedule, 500, trainedOn), 4);
});
