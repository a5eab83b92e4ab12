import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { GaussianData } from "../../test/support/gaussian.ts";
import { normal, Rng } from "../engine/random.ts";
import { keep, persist, tensorScope } from "../engine/scope.ts";
import { engineInfo } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { plms } from "./plms.ts";
import { ddim, ddimJump, dpmSolver, euler, finish, type SamplerOptions } from "./samplers.ts";
import { createSchedule, Schedule } from "./schedule.ts";
import { timesteps } from "./timesteps.ts";

const plain = createSchedule();
const terminal = createSchedule({ zeroTerminalSnr: true });
const xT = Tensor.from(Float64Array.of(-2, -0.5, 0, 0.7, 1.6), [1, 5]);
const SAMPLERS = [
  { name: "ddim", sampler: ddim },
  { name: "dpmSolver", sampler: dpmSolver },
  { name: "euler", sampler: euler },
] as const;

/** 1,201 levels of equal log-SNR steps: refining the times refines the solver's own step. */
function evenSchedule(): Schedule {
  return new Schedule(
    Float64Array.from({ length: 1201 }, (_, t) => 1 / (1 + Math.exp(-4 + t / 150))),
  );
}

/** How far a sampler's end is from where the exact flow, and then the same last jump, would be. */
function solverError(sampler: typeof ddim, schedule: Schedule, steps: number): number {
  const data = new GaussianData(0.5, 0.7, schedule);
  const denoiser = data.denoiser<null>();
  const found = finish(sampler(denoiser, xT, null, { schedule, steps, spacing: "linspace" }));
  const wanted = denoiser.predict(data.flow(xT, schedule.steps - 1, 0), 0, null).x0;
  return largestDifference(found, wanted);
}

describe("timesteps", () => {
  test("trailing start at T − 1 and are spread evenly", () => {
    expect(timesteps(plain, 5, "trailing")).toEqual([999, 799, 599, 399, 199]);
    expect(timesteps(plain, 3, "trailing")).toEqual([999, 666, 332]);
    expect(timesteps(plain, 1, "trailing")).toEqual([999]);
    expect(timesteps(plain, 16, "trailing").slice(1, 4)).toEqual([937, 874, 811]);
  });

  test("leading are multiples of ⌊T/n⌋, shifted by the offset", () => {
    expect(timesteps(plain, 50, "leading", 1).slice(0, 2)).toEqual([981, 961]);
    expect(timesteps(plain, 3, "leading")).toEqual([666, 333, 0]);
  });

  test("are those that are listed, if they fall and are as many as asked", () => {
    expect(timesteps(plain, 2, [999, 350])).toEqual([999, 350]);
    for (const times of [[999], [350, 999], [999, 999], [1000, 350], [999, -1], [999, 3.5]])
      expect(() => timesteps(plain, 2, times)).toThrow(
        `expected 2 falling times from 999 to 0, got ${times.join(", ")}`,
      );
  });

  test("linspace reach both ends", () => {
    expect(timesteps(plain, 5, "linspace")).toEqual([999, 749, 500, 250, 0]);
  });

  test("refuse a count that the schedule does not have", () => {
    for (const count of [0, 1001, 2.5]) {
      expect(() => timesteps(plain, count, "trailing")).toThrow(
        `expected 1 to 1000 sampling steps, got ${count}`,
      );
    }
  });
});

describe.each(SAMPLERS)("$name", ({ sampler }) => {
  test("in one step returns x̂₀", () => {
    const denoiser = new GaussianData(0.5, 0.7, terminal).denoiser<null>();
    const found = finish(sampler(denoiser, xT, null, { schedule: terminal, steps: 1 }));
    expect(largestDifference(found, denoiser.predict(xT, 999, null).x0)).toBe(0);
  });

  test("carries N(0, 1) to N(m, s²) with many steps", () => {
    const data = new GaussianData(-0.4, 0.6, terminal);
    const found = finish(
      sampler(data.denoiser<null>(), xT, null, { schedule: terminal, steps: 1000 }),
    );
    // First order at best where log-SNR is infinite, in steps of 1/1000.
    expect(largestDifference(found, xT.mul(0.6).sub(0.4))).toBeLessThan(5e-3);
  });

  test("stays finite from pure noise in few steps", () => {
    const denoiser = new GaussianData(0.5, 0.7, terminal).denoiser<null>();
    for (const steps of [2, 3, 4]) {
      const found = finish(sampler(denoiser, xT, null, { schedule: terminal, steps }));
      expect(found.toFloat32Array().every(Number.isFinite)).toBe(true);
    }
  });

  test("reports every step and its time", () => {
    const denoiser = new GaussianData(0.5, 0.7, terminal).denoiser<null>();
    using _ = tensorScope();
    const seen = [...sampler(denoiser, xT, null, { schedule: terminal, steps: 4 })];
    expect(seen.map(({ step, steps, t }) => [step, steps, t])).toEqual([
      [1, 4, 999],
      [2, 4, 749],
      [3, 4, 499],
      [4, 4, 249],
    ]);
  });

  test("survives a scope around each of its steps, and leaves nothing behind", () => {
    const denoiser = new GaussianData(0.5, 0.7, terminal).denoiser<null>();
    const options: SamplerOptions = { schedule: terminal, steps: 6 };
    using _ = tensorScope();
    const wanted = finish(sampler(denoiser, xT, null, options));
    const before = engineInfo().liveTensors;
    const sampling = sampler(denoiser, xT, null, options);
    let last: Tensor | undefined;
    for (;;) {
      using _step = tensorScope();
      const { done, value } = sampling.next();
      if (done) break;
      if (value.step === 6) last = keep(value.x0);
    }
    expect(engineInfo().liveTensors).toBe(before + 1);
    expect(last && largestDifference(last, wanted)).toBe(0);
  });

  test("leaves nothing behind when it is left early or its denoiser fails", () => {
    const denoiser = new GaussianData(0.5, 0.7, terminal).denoiser<null>();
    const before = engineInfo().liveTensors;
    {
      using _ = tensorScope();
      for (const { step } of sampler(denoiser, xT, null, { schedule: terminal, steps: 6 }))
        if (step === 3) break;
    }
    expect(engineInfo().liveTensors).toBe(before);
    const failing = {
      predict: (xt: Tensor, t: number) => {
        if (t < 500) throw new Error("the network failed");
        return denoiser.predict(xt, t, null);
      },
    };
    {
      using _ = tensorScope();
      const sampling = sampler(failing, xT, null, { schedule: terminal, steps: 6 });
      expect(() => finish(sampling)).toThrow("the network failed");
    }
    expect(engineInfo().liveTensors).toBe(before);
  });

  test("records no graph", () => {
    const gain = Tensor.scalar(0.5).setRequiresGrad(true);
    const denoiser = { predict: (xt: Tensor) => ({ x0: xt.mul(gain), noise: xt.mul(gain) }) };
    const found = finish(sampler(denoiser, xT, null, { schedule: plain, steps: 2 }));
    expect(found.requiresGrad).toBe(false);
  });
});

describe("the order of convergence", () => {
  const schedule = evenSchedule();
  const order = (sampler: typeof ddim): number =>
    Math.log2(solverError(sampler, schedule, 41) / solverError(sampler, schedule, 81));

  test("of DDIM is one", () => {
    expect(order(ddim)).toBeGreaterThan(0.9);
    expect(order(ddim)).toBeLessThan(1.1);
  });

  test("of DPM-Solver++(2M) is two", () => {
    expect(order(dpmSolver)).toBeGreaterThan(1.8);
    expect(order(dpmSolver)).toBeLessThan(2.3);
  });

  test("of PLMS is two: its weights are those of equal steps, which σ/α does not make", () => {
    const data = new GaussianData(0.5, 0.7, schedule);
    const exact = data.flow(xT, schedule.steps - 1, 0);
    const error = (steps: number): number => {
      const options = { schedule, steps, spacing: "linspace", end: "first" } as const;
      const found = finish(plms(data.denoiser<null>(), xT, null, options));
      return largestDifference(found, exact);
    };
    expect(Math.log2(error(41) / error(81))).toBeGreaterThan(1.8);
    expect(Math.log2(error(41) / error(81))).toBeLessThan(2.3);
  });

  test("shows: with 41 steps 2M is at least ten times closer", () => {
    expect(solverError(dpmSolver, schedule, 41)).toBeLessThan(solverError(ddim, schedule, 41) / 10);
  });
});

describe("DPM-Solver++(2M)", () => {
  test("extrapolates by the ratio of its steps in log-SNR, where those are uneven", () => {
    const denoiser = new GaussianData(0.5, 0.7, plain).denoiser<null>();
    const spacing = [999, 700, 100];
    const found = finish(dpmSolver(denoiser, xT, null, { schedule: plain, steps: 3, spacing }));
    const logSnr = (t: number): number => Math.log(plain.alpha(t) / plain.sigma(t));
    const x0 = (x: Tensor, t: number): Tensor => denoiser.predict(x, t, null).x0;
    const jump = (x: Tensor, d: Tensor, [from, to]: readonly [number, number]): Tensor => {
      const h = logSnr(to) - logSnr(from);
      return x
        .mul(plain.sigma(to) / plain.sigma(from))
        .sub(d.mul(plain.alpha(to) * Math.expm1(-h)));
    };
    const first = x0(xT, 999);
    const at700 = jump(xT, first, [999, 700]);
    const r = (logSnr(700) - logSnr(999)) / (logSnr(100) - logSnr(700));
    const second = x0(at700, 700)
      .mul(1 + 1 / (2 * r))
      .sub(first.mul(1 / (2 * r)));
    const at100 = jump(at700, second, [700, 100]);
    // the last jump is of first order, to the end
    expect(largestDifference(found, x0(at100, 100))).toBeLessThan(1e-12);
  });
});

describe("where a sampler ends", () => {
  const denoiser = new GaussianData(0.5, 0.7, plain).denoiser<null>();
  const options = { schedule: plain, steps: 5 };

  test("is the noise of the first level when asked for", () => {
    const seen = [...ddim(denoiser, xT, null, options)];
    const last = seen.at(-2)!;
    expect(last.t).toBe(399);
    const at199 = ddimJump(denoiser.predict(xT, 999, null), plain, 799);
    const path = [799, 599, 399].reduce(
      (x, t) => ddimJump(denoiser.predict(x, t, null), plain, t - 200),
      at199,
    );
    const expected = ddimJump(denoiser.predict(path, 199, null), plain, 0);
    const found = finish(ddim(denoiser, xT, null, { ...options, end: "first" }));
    expect(largestDifference(found, expected)).toBe(0);
  });

  test("is what the last step yields, whatever the sampler", () => {
    for (const sampler of [ddim, dpmSolver, euler, plms]) {
      for (const end of ["clean", "first"] as const) {
        const seen = [...sampler(denoiser, xT, null, { ...options, end })];
        const found = finish(sampler(denoiser, xT, null, { ...options, end }));
        expect(largestDifference(seen.at(-1)!.x0, found)).toBe(0);
      }
    }
  });
});

describe("euler", () => {
  test("starts as if the clean sample were zero, at leading times from the noise itself", () => {
    const shown: Tensor[] = [];
    const denoiser = {
      predict(xt: Tensor) {
        shown.push(persist(xt.clone()));
        return { x0: xt, noise: xt };
      },
    };
    finish(euler(denoiser, xT, null, { schedule: plain, steps: 1 }));
    finish(euler(denoiser, xT, null, { schedule: plain, steps: 1, spacing: "leading" }));
    expect(largestDifference(shown[0]!, xT.mul(plain.sigma(999)))).toBe(0);
    expect(largestDifference(shown[1]!, xT)).toBe(0);
  });
});

describe("plms", () => {
  const denoiser = new GaussianData(0.5, 0.7, plain).denoiser<null>();

  test("makes its first jump twice", () => {
    using _ = tensorScope();
    const seen = [...plms(denoiser, xT, null, { schedule: plain, steps: 4 })];
    expect(seen.map(({ step, steps, t }) => [step, steps, t])).toEqual([
      [1, 5, 999],
      [2, 5, 749],
      [3, 5, 749],
      [4, 5, 499],
      [5, 5, 249],
    ]);
  });

  test("leaves nothing behind, at its end or left early", () => {
    const before = engineInfo().liveTensors;
    {
      using _ = tensorScope();
      finish(plms(denoiser, xT, null, { schedule: plain, steps: 8 }));
      for (const { step } of plms(denoiser, xT, null, { schedule: plain, steps: 8 }))
        if (step === 6) break;
    }
    expect(engineInfo().liveTensors).toBe(before);
  });

  test("refuses to start from pure noise", () => {
    expect(() => plms(denoiser, xT, null, { schedule: terminal, steps: 4 })).toThrow(
      "expected a first time with some signal left for PLMS, got t = 999 where α = 0: use ddim",
    );
  });
});

describe("ddimJump", () => {
  test("goes to x̂₀ at the end, and otherwise to the same split at another level", () => {
    const x0 = normal(Rng.seed(4), [2, 3]);
    const noise = normal(Rng.seed(5), [2, 3]);
    expect(ddimJump({ x0, noise }, plain, null)).toBe(x0);
    const wanted = x0.mul(plain.alpha(40)).add(noise.mul(plain.sigma(40)));
    expect(largestDifference(ddimJump({ x0, noise }, plain, 40), wanted)).toBe(0);
  });

  test("passes gradients on", () => {
    const x0 = Tensor.ones([1, 2]).setRequiresGrad(true);
    ddimJump({ x0, noise: Tensor.zeros([1, 2]) }, plain, 40)
      .sum()
      .backward();
    expect(x0.grad?.toFloat32Array()[0]).toBeCloseTo(plain.alpha(40), 6);
  });
});
