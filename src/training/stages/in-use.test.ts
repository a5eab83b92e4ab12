import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { normal, Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { toPrediction } from "../../diffusion/prediction.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { lossInUse } from "./in-use.ts";

const rng = Rng.seed(12);
const schedule = createSchedule({ zeroTerminalSnr: true });
const x0 = normal(rng.split("x0"), [2, 3, 4, 4]);
const sampling = { times: [999, 350], temperature: 0 };
const options = { schedule, sampling, rng };

/** Says that the clean sample is `scale·x0`, and notes what it is shown. */
function witness(scale: Tensor) {
  const seen: Tensor[] = [];
  const denoiser: Denoiser<null> = {
    predict(xt, t) {
      seen.push(xt);
      return toPrediction("x0", x0.mul(scale), { xt, t, schedule });
    },
  };
  return { seen, denoiser };
}

test("is nothing where every step answers right", () => {
  const { denoiser } = witness(Tensor.full([1], 1));
  expect(lossInUse(denoiser, x0, null, options).item()).toBe(0);
});

test("shows the second step what the first one made, with the noise of that temperature", () => {
  const half = Tensor.full([1], 0.5);
  const still = witness(half);
  lossInUse(still.denoiser, x0, null, options);
  expect(still.seen[0]!.abs().max().item()).toBe(0);
  const alpha = schedule.alpha(350);
  expect(largestDifference(still.seen[1]!, x0.mul(0.5 * alpha))).toBeLessThan(1e-6);
  const noisy = witness(half);
  const at = { ...options, sampling: { ...sampling, temperature: 1 } };
  lossInUse(noisy.denoiser, x0, null, at);
  const wanted = schedule.addNoise(x0.mul(0.5), noisy.seen[0]!, 350);
  expect(largestDifference(noisy.seen[1]!, wanted)).toBeLessThan(1e-6);
});

test("is the mean over steps of the velocity's squared error, weighed by place, with no gradient from step to step", () => {
  const scale = Tensor.full([1], 0.5).setRequiresGrad(true);
  const { denoiser } = witness(scale);
  const weights = Tensor.full([2, 1, 4, 4], 3);
  const loss = lossInUse(denoiser, x0, null, { ...options, weights });
  // (s − 1)²·x0²/σ², and 2·(s − 1)·x0²/σ² by s: of each step alone
  const square = x0.square().mean().item();
  const shares = sampling.times.map((t) => 1 / schedule.sigma(t) ** 2);
  const mean = (shares[0]! + shares[1]!) / 2;
  expect(loss.item()).toBeCloseTo(3 * 0.25 * square * mean, 5);
  loss.backward();
  expect(scale.grad!.item()).toBeCloseTo(-3 * square * mean, 4);
});

test("counts the size of an error where it is told to: the gradient has its sign alone", () => {
  const scale = Tensor.full([1], 0.5).setRequiresGrad(true);
  const { denoiser } = witness(scale);
  const loss = lossInUse(denoiser, x0, null, { ...options, error: "absolute" });
  const size = x0.abs().mean().item();
  const shares = sampling.times.map((t) => 1 / schedule.sigma(t));
  const mean = (shares[0]! + shares[1]!) / 2;
  expect(loss.item()).toBeCloseTo(0.5 * size * mean, 5);
  loss.backward();
  expect(scale.grad!.item()).toBeCloseTo(-size * mean, 5);
});

describe("where one step is learned", () => {
  const times = [999, 749, 499, 249];
  /** The loss of four steps that all answer alike, and how many were gone through, for the generator of that number. */
  const oneOfFour = (number: number, scale = Tensor.full([1], 0.5)) => {
    const { seen, denoiser } = witness(scale);
    const loss = lossInUse(denoiser, x0, null, {
      schedule,
      sampling: { times, temperature: 0 },
      rng: rng.split(number),
      learned: "one",
    });
    return { seen, loss };
  };
  const lengths = Array.from({ length: 200 }, (_, number) => oneOfFour(number).seen.length);

  test("goes no further than to it, and counts its error alone", () => {
    const square = x0.square().mean().item();
    for (const [number, length] of lengths.slice(0, 20).entries()) {
      const sigma = schedule.sigma(times[length - 1]!);
      expect(oneOfFour(number).loss.item()).toBeCloseTo((0.25 * square) / sigma ** 2, 5);
    }
  });

  test("learns the first in half of the batches, and the last in some", () => {
    const share = (length: number): number =>
      lengths.filter((other) => other === length).length / lengths.length;
    expect(share(1)).toBeGreaterThan(0.4);
    expect(share(1)).toBeLessThan(0.6);
    expect(share(4)).toBeGreaterThan(0.05);
  });

  test("has no gradient from the steps that lead to it", () => {
    const scale = Tensor.full([1], 0.5).setRequiresGrad(true);
    const { seen, loss } = oneOfFour(lengths.indexOf(3), scale);
    loss.backward();
    expect(seen.some((xt) => xt.requiresGrad)).toBe(false);
    const square = x0.square().mean().item();
    expect(scale.grad!.item()).toBeCloseTo(-square / schedule.sigma(499) ** 2, 4);
  });
});
