import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Prediction } from "./prediction.ts";
import { sample, type Departure, type Sampling, type Solver, type Visit } from "./sampling.ts";
import type { Schedule } from "./schedule.ts";
import { timesteps, type Spacing } from "./timesteps.ts";

export { finish, type SampleStep, type Sampling } from "./sampling.ts";

/** Where a sampler runs and how many times it asks the network. */
export interface SamplerOptions {
  readonly schedule: Schedule;
  /** Number of times visited: evaluations of the denoiser, one more for PLMS. */
  readonly steps: number;
  /** Default `trailing`. */
  readonly spacing?: Spacing;
  /** Shift of `leading` times; default 0. */
  readonly offset?: number;
  /**
   * Where the last jump ends: without noise (`clean`, the default; public configurations say `set_alpha_to_one`), or at
   * the noise of the schedule's first level (`first`), as Stable Diffusion 1.5 is sampled.
   */
  readonly end?: "clean" | "first";
}

/** What DDIM can do besides. */
export interface DdimOptions extends SamplerOptions {
  /**
   * Where a jump from time t lands: on the next time that is visited (`listed`, the default), or ⌊T/steps⌋ below t
   * (`strided`), as diffusers does. They differ where the times are not ⌊T/steps⌋ apart: `linspace`, and `trailing` with
   * steps that do not divide T.
   */
  readonly jumps?: "listed" | "strided";
}

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

const FIRST_ORDER: Solver = {
  jump: ({ prediction, schedule, to }) => ddimJump(prediction, schedule, to),
  memory: 0,
};

/**
 * DDIM with η = 0 (Song et al. 2021): the sampler of Emu Video and of FDD's teachers and student.
 *
 * Samples without a graph, from `xT` at the first time.
 */
export function ddim<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  options: DdimOptions,
): Sampling {
  const visits = options.jumps === "strided" ? stridedVisits(options) : listedVisits(options);
  return sample(denoiser, xT, condition, { ...options, visits, solver: FIRST_ORDER });
}

/**
 * Euler's method on the probability flow in the coordinates `x/α`, whose noise level is `σ/α` (Karras et al. 2022).
 *
 * In ours its step is DDIM's. What differs is the start: `noise`, standard normal, is scaled to σ of the first time, as
 * if the clean sample were zero there; `leading` times start from `noise` itself. (diffusers' EulerDiscreteScheduler.)
 */
export function euler<Condition>(
  denoiser: Denoiser<Condition>,
  noise: Float<"b ...">,
  condition: Condition,
  options: SamplerOptions,
): Sampling {
  const visits = listedVisits(options);
  const { spacing = "trailing", schedule } = options;
  const start = spacing === "leading" ? 1 : schedule.sigma(visits[0]!.t);
  return sample(denoiser, noise, condition, { schedule, visits, solver: FIRST_ORDER, start });
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
  const visits = listedVisits(options);
  const solver = { jump: secondOrderJump, memory: 1 };
  return sample(denoiser, xT, condition, { ...options, visits, solver });
}

function secondOrderJump({ x, prediction, past, t, to, schedule }: Departure): Float<"b ..."> {
  if (to === null) return prediction.x0;
  const [previous] = past;
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

function endTime(end: SamplerOptions["end"]): number | null {
  return end === "first" ? 0 : null;
}

/** The times that `options` list, each with the next one to go to. */
export function listedVisits({
  schedule,
  steps,
  spacing = "trailing",
  offset = 0,
  end,
}: SamplerOptions): Visit[] {
  const times = timesteps(schedule, steps, spacing, offset);
  return times.map((t, index) => ({ t, to: times[index + 1] ?? endTime(end) }));
}

function stridedVisits(options: SamplerOptions): Visit[] {
  const stride = Math.floor(options.schedule.steps / options.steps);
  return listedVisits(options).map(({ t }) => {
    return { t, to: t >= stride ? t - stride : endTime(options.end) };
  });
}
