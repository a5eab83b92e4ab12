import { noGrad } from "../engine/autodiff.ts";
import { ConfigError } from "../engine/errors.ts";
import { keep, persist, tensorScope } from "../engine/scope.ts";
import type { Float, Tensor } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Prediction } from "./prediction.ts";
import type { Schedule } from "./schedule.ts";

/** How a sampler's times are spread: `trailing` starts at T − 1, which zero terminal SNR needs. */
export type Spacing = "trailing" | "leading" | "linspace";

/** Rounds halves to even, as the public schedulers do. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * The `count` times a sampler visits, falling.
 *
 * `offset` shifts `leading` times only (public Stable Diffusion: 1).
 */
export function timesteps(
  schedule: Schedule,
  count: number,
  spacing: Spacing,
  offset = 0,
): number[] {
  const { steps } = schedule;
  if (!Number.isInteger(count) || count < 1 || count > steps) {
    throw new ConfigError(`expected 1 to ${steps} sampling steps, got ${count}`);
  }
  const indices = Array.from({ length: count }, (_, index) => index);
  switch (spacing) {
    case "trailing":
      return indices.map((i) => roundEven(steps - (i * steps) / count) - 1);
    case "leading":
      return indices.map((i) => (count - 1 - i) * Math.floor(steps / count) + offset);
    case "linspace":
      return indices.map((i) =>
        count === 1 ? 0 : roundEven(((count - 1 - i) * (steps - 1)) / (count - 1)),
      );
  }
}

/** Where a sampler runs and how many times it asks the network. */
export interface SamplerOptions {
  readonly schedule: Schedule;
  /** Number of evaluations of the denoiser. */
  readonly steps: number;
  /** Default `trailing`. */
  readonly spacing?: Spacing;
  /** Shift of `leading` times; default 0. */
  readonly offset?: number;
}

/** One finished step of a sampler. */
export interface SampleStep {
  /** Steps done, from 1 to `steps`. */
  readonly step: number;
  readonly steps: number;
  /** The time at which the denoiser was asked. */
  readonly t: number;
  /** What the sample would be if it ended here; it belongs to the scope of whoever asked for this step. */
  readonly x0: Float<"b ...">;
}

/** A sampler at work: yields after every step, returns the sample. It may be left at any step. */
export type Sampling = Generator<SampleStep, Float<"b ...">, void>;

/**
 * One deterministic DDIM jump (η = 0): the same split, at the noise level of `to`.
 *
 * To the end (`to` is null) it is x̂₀ itself. Differentiable; K-bin sampling is made of it.
 */
export function ddimJump(
  { x0, noise }: Prediction,
  schedule: Schedule,
  to: number | null,
): Float<"b ..."> {
  return to === null ? x0 : schedule.addNoise(x0, noise, to);
}

/** What a solver knows when it is to leave time `t`. */
interface Departure {
  readonly x: Float<"b ...">;
  readonly prediction: Prediction;
  /** The step before: its time and its x̂₀. */
  readonly previous: { readonly t: number; readonly x0: Float<"b ..."> } | undefined;
  readonly t: number;
  readonly to: number;
  readonly schedule: Schedule;
}

type Solver = (departure: Departure) => Float<"b ...">;

/**
 * DDIM with η = 0 (Song et al. 2021): the sampler of Emu Video and of FDD's teachers and student.
 *
 * Samples without a graph, from `xT` at the first time.
 */
export function ddim<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  options: SamplerOptions,
): Sampling {
  return sample(denoiser, xT, condition, {
    ...options,
    solver: ({ prediction, schedule, to }) => ddimJump(prediction, schedule, to),
  });
}

/**
 * DPM-Solver++(2M) (Lu et al. 2022): second order from one evaluation a step, the better choice below ~30 steps.
 *
 * Where λ = log(α/σ) is infinite (zero terminal SNR) and on the last jump it takes DDIM's first-order step.
 */
export function dpmSolver<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  options: SamplerOptions,
): Sampling {
  return sample(denoiser, xT, condition, { ...options, solver: secondOrderStep });
}

function secondOrderStep({ x, prediction, previous, t, to, schedule }: Departure): Float<"b ..."> {
  const logSnr = (time: number): number => Math.log(schedule.alpha(time) / schedule.sigma(time));
  const ratio = schedule.sigma(to) / schedule.sigma(t);
  // α(to)·(1 − e^−h), written so that it stays finite where h is not.
  const weight = schedule.alpha(to) - schedule.alpha(t) * ratio;
  const h = logSnr(to) - logSnr(t);
  const hBefore = previous ? logSnr(t) - logSnr(previous.t) : Infinity;
  const extrapolation = Number.isFinite(hBefore) ? h / (2 * hBefore) : 0;
  const { x0 } = prediction;
  const d = previous && extrapolation !== 0 ? x0.lerp(previous.x0, -extrapolation) : x0;
  return x.mul(ratio).addScaled(d, weight);
}

/** What lives on from one step to the next, outside every scope. */
interface Carried {
  readonly x: Float<"b ...">;
  readonly previous: Departure["previous"];
}

function tensorsOf(carried: Carried | undefined): Tensor[] {
  if (!carried) return [];
  return carried.previous ? [carried.x, carried.previous.x0] : [carried.x];
}

function* sample<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  {
    schedule,
    steps,
    spacing = "trailing",
    offset = 0,
    solver,
  }: SamplerOptions & { readonly solver: Solver },
): Sampling {
  const times = timesteps(schedule, steps, spacing, offset);
  let carried: Carried | undefined;

  const advance = (t: number, to: number | undefined): Float<"b ..."> => {
    using scope = tensorScope();
    // What the last step carried over dies with this one.
    for (const tensor of tensorsOf(carried)) scope.adopt(tensor);
    const { x, previous } = carried ?? { x: xT, previous: undefined };
    carried = undefined;
    const prediction = denoiser.predict(x, t, condition);
    if (to !== undefined) {
      const next = solver({ x, prediction, previous, t, to, schedule });
      carried = { x: persist(next), previous: { t, x0: persist(prediction.x0.detach()) } };
    }
    return keep(prediction.x0);
  };

  try {
    let x0 = xT;
    for (const [index, t] of times.entries()) {
      x0 = noGrad(() => advance(t, times[index + 1]));
      yield { step: index + 1, steps, t, x0 };
    }
    return x0;
  } finally {
    using scope = tensorScope();
    for (const tensor of tensorsOf(carried)) scope.adopt(tensor);
  }
}

/** Runs a sampler to its end and hands out the sample. */
export function finish(sampling: Sampling): Float<"b ..."> {
  using _ = tensorScope();
  for (;;) {
    const { done, value } = sampling.next();
    if (done) return keep(value);
  }
}
