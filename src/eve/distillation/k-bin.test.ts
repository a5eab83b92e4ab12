import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { GaussianData } from "../../../test/support/gaussian.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { engineInfo } from "../../engine/settings.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { KBinConfig } from "./distillation-config.ts";
import { kBinSample, kBinTimes } from "./k-bin.ts";

const rng = Rng.seed(31);
const schedule = createSchedule({ zeroTerminalSnr: true });
const three = KBinConfig.parse({});

describe("the times of K-bin sampling", () => {
  const draws = Array.from({ length: 3000 }, (_, i) => kBinTimes(schedule, three, rng.split(i)));

  test("are one from each bin, falling, and reach both ends of every bin", () => {
    const bins = [
      [667, 999],
      [333, 666],
      [0, 332],
    ];
    bins.forEach(([first, last], bin) => {
      const drawn = draws.map((times) => times[bin]!);
      expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([first, last]);
    });
    expect(draws.every(({ length }) => length === 3)).toBe(true);
  });

  test("are uniform within their bin, and independent of those in other bins", () => {
    const places = [0, 1, 2].map((bin) => {
      const first = [667, 333, 0][bin]!;
      return draws.map((times) => (times[bin]! - first + 0.5) / [333, 334, 333][bin]!);
    });
    const mean = (values: number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const place of places) {
      // Four standard errors of 3000 draws: a mean of 1/2, and 300 in each tenth
      expect(Math.abs(mean(place) - 0.5)).toBeLessThan((4 * Math.sqrt(1 / 12)) / Math.sqrt(3000));
      const tenths = Array.from(
        { length: 10 },
        (_, tenth) => place.filter((value) => Math.floor(10 * value) === tenth).length,
      );
      for (const count of tenths) expect(Math.abs(count - 300)).toBeLessThan(4 * Math.sqrt(270));
    }
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const) {
      const products = places[a]!.map((value, i) => (value - 0.5) * (places[b]![i]! - 0.5) * 12);
      expect(Math.abs(mean(products))).toBeLessThan(4 / Math.sqrt(3000));
    }
  });

  test("are a function of the random source alone", () => {
    expect(kBinTimes(schedule, three, rng.split(5))).toEqual(draws[5]);
    expect(draws[5]).not.toEqual(draws[6]);
  });

  test("fixed, are those of a sampler with as many trailing steps", () => {
    const fixed = KBinConfig.parse({ times: "fixed" });
    expect(kBinTimes(schedule, fixed, rng.split(1))).toEqual([999, 666, 332]);
    expect(kBinTimes(schedule, fixed, rng.split(2))).toEqual([999, 666, 332]);
    const four = KBinConfig.parse({ times: "fixed", bins: 4 });
    expect(kBinTimes(schedule, four, rng)).toEqual([999, 749, 499, 249]);
  });

  test("begin at pure noise where the config asks for it, and are random behind it", () => {
    const ended = KBinConfig.parse({ start: "end" });
    const times = Array.from({ length: 20 }, (_, i) => kBinTimes(schedule, ended, rng.split(i)));
    expect(new Set(times.map(([first]) => first))).toEqual(new Set([999]));
    expect(times.map((all) => all.slice(1))).toEqual(draws.slice(0, 20).map((all) => all.slice(1)));
  });

  test("stay below the time that the noisiest bin is to end at", () => {
    const below = KBinConfig.parse({ from: 749, start: "end" });
    const times = Array.from({ length: 3000 }, (_, i) => kBinTimes(schedule, below, rng.split(i)));
    const range = (bin: number): number[] => {
      const drawn = times.map((all) => all[bin]!);
      return [Math.min(...drawn), Math.max(...drawn)];
    };
    expect([0, 1, 2].map(range)).toEqual([
      [749, 749],
      [250, 499],
      [0, 249],
    ]);
    const fixed = KBinConfig.parse({ from: 749, times: "fixed" });
    expect(kBinTimes(schedule, fixed, rng)).toEqual([749, 499, 249]);
    expect(() => kBinTimes(schedule, KBinConfig.parse({ from: 1000 }), rng)).toThrow(
      "expected 3 falling times from 999 to 0, got 1000, ",
    );
  });
});

/** A student of one weight per time: `x̂0 = weight·xt`, and the noise that goes with it. */
function linearStudent(weights: ReadonlyMap<number, Tensor>): Denoiser<null> {
  return {
    predict: (xt, t) => {
      const x0 = xt.mul(weights.get(t)!);
      return { x0, noise: xt.sub(x0.mul(schedule.alpha(t))).div(schedule.sigma(t)) };
    },
  };
}

describe("the sample", () => {
  const times = [950, 500, 100];
  const xT = normal(rng.split("xT"), [2, 3]).to("float64");

  test("of a linear Gaussian is what the affine steps give by hand", () => {
    const [mean, spread] = [0.7, 0.4];
    const denoiser = new GaussianData(mean, spread, schedule).denoiser();
    const found = noGrad(() => kBinSample(denoiser, xT, null, { schedule, times }));
    const wanted = [...new Float64Array(xT.toBytes())].map((noise) => {
      let x = noise;
      for (const [i, t] of times.entries()) {
        const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
        const variance = (alpha * spread) ** 2 + sigma ** 2;
        const x0 = mean + ((alpha * spread ** 2) / variance) * (x - alpha * mean);
        const to = times[i + 1];
        if (to === undefined) return x0;
        x = schedule.alpha(to) * x0 + (schedule.sigma(to) * (x - alpha * x0)) / sigma;
      }
      return x;
    });
    const shaped = Tensor.from(Float64Array.from(wanted), [2, 3]);
    expect(largestDifference(found, shaped)).toBeLessThan(1e-12);
  });

  test("by fixed times is DDIM's of as many steps", () => {
    const denoiser = new GaussianData(0.7, 0.4, schedule).denoiser();
    const fixed = kBinTimes(schedule, KBinConfig.parse({ times: "fixed" }), rng);
    const found = noGrad(() => kBinSample(denoiser, xT, null, { schedule, times: fixed }));
    expect(largestDifference(found, finish(ddim(denoiser, xT, null, { schedule, steps: 3 })))).toBe(
      0,
    );
  });

  test("has the gradient that finite differences give, from the first step to the last", () => {
    const values = [0.3, -0.2, 0.5];
    const leaves = (at: readonly number[]): Map<number, Tensor> =>
      new Map(
        times.map((t, i) => [t, Tensor.from(Float64Array.of(at[i]!), []).setRequiresGrad(true)]),
      );
    const loss = (weights: ReadonlyMap<number, Tensor>): Float<""> =>
      kBinSample(linearStudent(weights), xT, null, { schedule, times }).pow(3).sum();
    const weights = leaves(values);
    loss(weights).backward();
    const step = 1e-5;
    times.forEach((t, i) => {
      const at = (offset: number): number =>
        loss(leaves(values.map((value, j) => (i === j ? value + offset : value)))).item();
      const slope = (at(step) - at(-step)) / (2 * step);
      expect(Math.abs(slope)).toBeGreaterThan(0.01);
      // Central differences of a cubic, in float64
      expect(Math.abs(weights.get(t)!.grad!.item() - slope)).toBeLessThan(1e-7);
    });
  });

  test("has the same gradient, bit for bit, where intermediates are kept", () => {
    const gradients = [true, false].map((recompute) => {
      const weights = new Map(
        times.map((t) => [t, Tensor.from(Float64Array.of(0.3), []).setRequiresGrad(true)]),
      );
      kBinSample(linearStudent(weights), xT, null, { schedule, times, recompute })
        .pow(3)
        .sum()
        .backward();
      return times.map((t) => weights.get(t)!.grad!.item());
    });
    expect(gradients[0]).toEqual(gradients[1]);
    expect(gradients[0]!.every((slope) => slope !== 0)).toBe(true);
  });

  test("keeps one state per step until it is differentiated", () => {
    using _ = tensorScope();
    const weights = new Map(
      times.map((t) => [t, Tensor.from(Float64Array.of(0.3), []).setRequiresGrad(true)]),
    );
    const before = engineInfo().liveTensors;
    const sample = kBinSample(linearStudent(weights), xT, null, { schedule, times });
    expect(engineInfo().liveTensors).toBe(before + times.length);
    expect(sample.requiresGrad).toBe(true);
  });

  test("is the same without a graph", () => {
    const weights = new Map(times.map((t) => [t, Tensor.from(Float64Array.of(0.3), [])]));
    const run = (): Tensor => kBinSample(linearStudent(weights), xT, null, { schedule, times });
    const plain = noGrad(run);
    expect(plain.requiresGrad).toBe(false);
    expect(largestDifference(run(), plain)).toBe(0);
  });
});
