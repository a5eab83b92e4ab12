import { describe, expect, test } from "vitest";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { toPrediction } from "../diffusion/prediction.ts";
import { ddim, dpmSolver, finish } from "../diffusion/samplers.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { normal, Rng } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { withKnownFrames } from "./known-frames.ts";

const schedule = createSchedule({ zeroTerminalSnr: true });
const shape = [5, 2, 3, 3];
const noise = normal(Rng.seed(1).split("noise"), shape);
const clean = normal(Rng.seed(2).split("clean"), [2, 2, 3, 3]);
const settled = noise.narrow(0, 0, 2);

function largest(difference: Tensor): number {
  return difference.abs().max().item();
}

/** A denoiser that is wrong everywhere: it shrinks what it sees. `seen` gets what it was shown. */
function wrongDenoiser(seen: { xt: Tensor; t: number }[] = []): Denoiser<null> {
  return {
    predict(xt, t) {
      seen.push({ xt: xt.clone(), t });
      return toPrediction("v", xt.mul(0.3), { xt, t, schedule });
    },
  };
}

const known = { clean, noise: settled, schedule };

describe("withKnownFrames", () => {
  test.each([
    ["DDIM", ddim],
    ["DPM-Solver++", dpmSolver],
  ])("%s ends with the known frames exactly, however wrong the network is", (_, sampler) => {
    const denoiser = withKnownFrames(wrongDenoiser(), known);
    const result = finish(sampler(denoiser, noise, null, { schedule, steps: 5 }));
    expect(largest(result.narrow(0, 0, 2).sub(clean))).toBe(0);
  });

  test("shows the network the known frames at the noise level of the step", () => {
    const predicted: { xt: Tensor; t: number }[] = [];
    const denoiser = withKnownFrames(wrongDenoiser(predicted), known);
    for (const t of [999, 600, 20]) denoiser.predict(noise, t, null);
    expect(predicted.map(({ t }) => t)).toEqual([999, 600, 20]);
    for (const { xt, t } of predicted) {
      const expected = schedule.addNoise(clean, settled, t);
      expect(largest(xt.narrow(0, 0, 2).sub(expected))).toBe(0);
      expect(largest(xt.narrow(0, 2, 3).sub(noise.narrow(0, 2, 3)))).toBe(0);
    }
  });

  test("leaves the other frames to the network", () => {
    const rest = (denoiser: Denoiser<null>) =>
      denoiser.predict(noise, 600, null).x0.narrow(0, 2, 3);
    const difference = rest(withKnownFrames(wrongDenoiser(), known)).sub(rest(wrongDenoiser()));
    expect(largest(difference)).toBe(0);
  });
});
