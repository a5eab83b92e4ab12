import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { GaussianData } from "../../../test/support/gaussian.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { toPrediction } from "../../diffusion/prediction.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { gradients } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { ScoreDistillationConfig } from "./distillation-config.ts";
import { addNoise, scoreDistillation, scoreWeight, type Noised } from "./score-distillation.ts";

const rng = Rng.seed(41);
const schedule = createSchedule({ zeroTerminalSnr: true });
const config = ScoreDistillationConfig.parse({});
const options = { schedule, config };
const shape = [2, 3, 4, 4];
const teacher: Denoiser<null> = new GaussianData(0.7, 0.4, schedule).denoiser();

function leaf(): Tensor {
  return normal(rng.split("x0"), shape).to("float64").setRequiresGrad(true);
}

function only([noised, ...more]: readonly Noised[]): Noised {
  expect(more).toHaveLength(0);
  return noised!;
}

/** `c(t)·(ε̂ − ε)` by hand. */
function wantedGradient({ xt, noise, t }: Noised, weight = config.weight): Tensor {
  const score = teacher.predict(xt, t, null).noise.sub(noise);
  return score.mul(scoreWeight(schedule, weight, t));
}

describe("the student's edit", () => {
  test("is noised as the schedule says, and the noisy one is a constant", () => {
    const x0 = leaf();
    const noised = only(addNoise(x0, rng, options));
    const { xt, noise, t } = noised;
    expect(noised.x0).toBe(x0);
    expect(xt.requiresGrad).toBe(false);
    expect(largestDifference(xt, schedule.addNoise(x0.detach(), noise, t))).toBe(0);
  });

  test("gets times from the whole range that the config names, and no others", () => {
    const x0 = Tensor.zeros([1]);
    const drawn = (times: readonly [number, number]): number[] => {
      const own = { schedule, config: { ...config, times: [...times] as [number, number] } };
      return Array.from({ length: 2000 }, (_, i) => only(addNoise(x0, rng.split(i), own)).t);
    };
    const narrow = drawn([0.3, 0.31]);
    expect(new Set(narrow)).toEqual(new Set(Array.from({ length: 11 }, (_, i) => 300 + i)));
    expect(new Set(drawn([0.0205, 0.0245]))).toEqual(new Set([21, 22, 23, 24]));
    const wide = drawn(config.times);
    expect(Math.min(...wide)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...wide)).toBeLessThanOrEqual(980);
    const mean = wide.reduce((sum, t) => sum + t, 0) / wide.length;
    // Four standard errors of 2000 uniform draws
    expect(Math.abs(mean - 500)).toBeLessThan((4 * 961) / Math.sqrt(12 * 2000));
  });

  test("is noised as often as the config asks, each pair in a stretch of its own", () => {
    const own = {
      schedule,
      config: { ...config, times: [0.2, 0.549] as [number, number], draws: 7 },
    };
    const all = Array.from({ length: 500 }, (_, i) =>
      addNoise(Tensor.zeros([3]), rng.split(i), own),
    );
    for (const drawn of all) {
      expect(drawn.map(({ t }) => Math.floor((t - 200) / 100))).toEqual([0, 0, 1, 1, 2, 2, 3]);
      expect(drawn[1]!.t).toBe(drawn[0]!.t);
      expect(largestDifference(drawn[0]!.noise, drawn[1]!.noise.mul(-1))).toBe(0);
      expect(largestDifference(drawn[0]!.noise, drawn[2]!.noise)).toBeGreaterThan(0);
    }
    const first = new Set(all.map(([drawn]) => drawn!.t));
    expect(first.size).toBeGreaterThan(90);
  });

  test.each([1, 2, 3, 5, 6])("is noised %i times evenly over the range", (draws) => {
    const own = { schedule, config: { ...config, times: [0, 0.999] as [number, number], draws } };
    const times = Array.from({ length: 1000 }, (_, i) =>
      addNoise(Tensor.zeros([1]), rng.split(i), own).map(({ t }) => t),
    ).flat();
    const early = times.filter((t) => t < 500).length / times.length;
    // Four standard errors of 1000 coins; pairs in stretches of their own vary less
    expect(Math.abs(early - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 1000));
  });

  test("is never pure noise under zero terminal SNR, and may be as noisy as it gets without", () => {
    const x0 = Tensor.zeros([1]);
    const late = { ...config, times: [0.9995, 0.9999] as [number, number] };
    expect(only(addNoise(x0, rng, { schedule, config: late })).t).toBe(998);
    expect(only(addNoise(x0, rng, { schedule: createSchedule(), config: late })).t).toBe(999);
  });
});

describe("score distillation", () => {
  test.each(["one", "sigmaSquared", "alphaSigma"] as const)(
    "has the gradient c(t)·(ε̂ − ε), averaged over elements, with c(t) = %s",
    (weight) => {
      const x0 = leaf();
      const own = { schedule, config: { ...config, weight } };
      const noised = only(addNoise(x0, rng, own));
      const [found] = gradients(scoreDistillation(teacher, noised, null, own), [x0]);
      const wanted = wantedGradient(noised, weight);
      expect(wanted.abs().max().item()).toBeGreaterThan(0.01);
      expect(largestDifference(found!.mul(x0.size), wanted)).toBeLessThan(1e-12);
    },
  );

  test("has that gradient to 1e-5 in float32", () => {
    const x0 = leaf().detach().to("float32").setRequiresGrad(true);
    const noised = only(addNoise(x0, rng, options));
    const [found] = gradients(scoreDistillation(teacher, noised, null, options), [x0]);
    expect(largestDifference(found!.mul(x0.size), wantedGradient(noised))).toBeLessThan(1e-5);
  });

  test("agrees with finite differences of (1/n)·Σ x0·sg(c(t)·(ε̂ − ε))", () => {
    const x0 = leaf();
    const noised = only(addNoise(x0, rng, options));
    const [found] = gradients(scoreDistillation(teacher, noised, null, options), [x0]);
    const score = wantedGradient(noised);
    const printed = (at: Tensor): number => at.mul(score).mean().item();
    const step = 1e-3;
    for (const index of [0, 17, 95]) {
      const nudge = Tensor.zeros([x0.size], "float64");
      nudge.narrow(0, index, 1).copyFrom(Tensor.full([1], step, "float64"));
      const moved = nudge.reshape(shape);
      const slope =
        (printed(x0.detach().add(moved)) - printed(x0.detach().sub(moved))) / (2 * step);
      const own = found!.reshape([-1]).narrow(0, index, 1).item();
      // Linear in x0, in float64
      expect(Math.abs(own - slope)).toBeLessThan(1e-10);
    }
  });

  test("sends nothing through a teacher: neither to its weights nor to the noisy sample", () => {
    const weight = Tensor.from(Float64Array.of(0.5), []).setRequiresGrad(true);
    const trainable: Denoiser<null> = {
      predict: (xt) => ({ x0: xt.mul(weight), noise: xt.mul(weight) }),
    };
    const x0 = leaf();
    const noised = only(addNoise(x0, rng, options));
    scoreDistillation(trainable, noised, null, options).backward();
    expect(weight.grad).toBeNull();
    const score = noised.xt.mul(0.5).sub(noised.noise);
    const wanted = score.mul(scoreWeight(schedule, config.weight, noised.t));
    expect(largestDifference(x0.grad!.mul(x0.size), wanted)).toBeLessThan(1e-12);
  });

  test("has the value of half the mean square of its score", () => {
    const noised = only(addNoise(leaf(), rng, options));
    const value = scoreDistillation(teacher, noised, null, options).item();
    const wanted = wantedGradient(noised).square().mean().mul(0.5).item();
    expect(Math.abs(value - wanted)).toBeLessThan(1e-12);
  });

  test("is silent about a sample that is all the teacher could have meant", () => {
    const point = new GaussianData(0.7, 0, schedule).denoiser<null>();
    const x0 = Tensor.full(shape, 0.7, "float64").setRequiresGrad(true);
    const loss = scoreDistillation(point, only(addNoise(x0, rng, options)), null, options);
    expect(loss.item()).toBeLessThan(1e-12);
  });

  test("pulls samples to the teacher's mean", () => {
    let x0: Float = Tensor.full([64], 3, "float64");
    for (let step = 0; step < 400; step++) {
      const own = x0.detach().setRequiresGrad(true);
      const noised = only(addNoise(own, rng.split(step), options));
      const [slope] = gradients(scoreDistillation(teacher, noised, null, options), [own]);
      x0 = own.detach().addScaled(slope!, -64 * 0.1);
    }
    expect(Math.abs(x0.mean().item() - 0.7)).toBeLessThan(0.2);
  });

  test("is defined for a teacher of v at every time it is asked at", () => {
    const v: Denoiser<null> = {
      predict: (xt, t) => toPrediction("v", xt.mul(0.3), { xt, t, schedule }),
    };
    const late = { schedule, config: { ...config, times: [0.9, 0.9999] as [number, number] } };
    for (let i = 0; i < 50; i++) {
      const noised = only(addNoise(leaf(), rng.split(i), late));
      expect(Number.isFinite(scoreDistillation(v, noised, null, late).item())).toBe(true);
    }
  });
});

test("the weights of the score are those of the paper's relatives", () => {
  const [alpha, sigma] = [schedule.alpha(600), schedule.sigma(600)];
  expect(scoreWeight(schedule, "one", 600)).toBe(1);
  expect(scoreWeight(schedule, "sigmaSquared", 600)).toBe(sigma ** 2);
  expect(scoreWeight(schedule, "alphaSigma", 600)).toBe(alpha * sigma);
});

test("a range of times that runs backwards is refused", () => {
  expect(() => ScoreDistillationConfig.parse({ times: [0.5, 0.2] })).toThrow(/must not be after/);
});
