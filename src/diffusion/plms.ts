import { ConfigError } from "../engine/errors.ts";
import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { ddimJump, listedVisits, type SamplerOptions } from "./samplers.ts";
import { sample, type Departure, type Sampling, type Visit } from "./sampling.ts";
import type { Schedule } from "./schedule.ts";

/**
 * PLMS: the pseudo linear multi-step method (Liu et al. 2022, PNDM), as Stable Diffusion 1.5 starts it: without
 * Runge-Kutta steps, its first jump made twice, the second time by the mean of both its ends.
 *
 * Of second order where log-SNR falls evenly, from one evaluation a step. It asks the network `steps` + 1 times (once,
 * if `steps` is 1), for the noise: a network that predicts v is read as noise time by time.
 */
export function plms<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  options: SamplerOptions,
): Sampling {
  const [first, second, ...rest] = listedVisits(options);
  // to the second time and, once the noise there is known, to the second time again
  const visits = second ? [first!, { t: second.t, to: second.t }, second, ...rest] : [first!];
  if (options.schedule.alpha(first!.t) === 0)
    throw new ConfigError(
      `expected a first time with some signal left for PLMS, got t = ${first!.t} where α = 0: use ddim`,
    );
  const solver = { jump: multiStepJump, memory: 4 };
  return sample(denoiser, xT, condition, { ...options, visits, solver });
}

/** Weights of the noise at the latest times, the latest first, by how many are known (Adams and Bashforth). */
const ADAMS_BASHFORTH: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

function multiStepJump({ index, x, prediction, past, t, to, schedule }: Departure): Float<"b ..."> {
  const [before] = past;
  if (index === 1 && before) {
    const mean = prediction.noise.add(before.noise).mul(0.5);
    return jumpAlong(mean, { x: before.x, t: before.t, to, schedule });
  }
  // the second evaluation only corrected the first jump: it is no point of the path
  const earlier = past.filter((visit) => visit.index !== 1).map(({ noise }) => noise);
  const noises = [prediction.noise, ...earlier].slice(0, ADAMS_BASHFORTH.length);
  const weights = ADAMS_BASHFORTH[noises.length - 1]!;
  const combined = noises
    .map((noise, i) => noise.mul(weights[i]!))
    .reduce((sum, term) => sum.add(term));
  return jumpAlong(combined, { x, t, to, schedule });
}

/** DDIM's jump from `x` by a given noise. */
function jumpAlong(
  noise: Float<"b ...">,
  { x, t, to, schedule }: Visit & { readonly x: Float<"b ...">; readonly schedule: Schedule },
): Float<"b ..."> {
  const x0 = x.addScaled(noise, -schedule.sigma(t)).div(schedule.alpha(t));
  return ddimJump({ x0, noise }, schedule, to);
}
