import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { normal, type Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { ScoreDistillationConfig } from "./distillation-config.ts";

/** c(t), the weight of the score at time `t`. */
export function scoreWeight(
  schedule: Schedule,
  weight: ScoreDistillationConfig["weight"],
  t: number,
): number {
  switch (weight) {
    case "one":
      return 1;
    case "sigmaSquared":
      return schedule.sigma(t) ** 2;
    case "alphaSigma":
      return schedule.alpha(t) * schedule.sigma(t);
  }
}

/** The student's edit, noised once and shown to every teacher (§3.2). */
export interface Noised {
  readonly x0: Float<"(b f) c h w">;
  /** `xt = α(t)·x0 + σ(t)·noise`, a constant. */
  readonly xt: Float<"(b f) c h w">;
  readonly noise: Float<"(b f) c h w">;
  readonly t: number;
}

/** Where a score is taken: the schedule, and the settings that say when, how often and how much it counts. */
export interface ScoreDistillationOptions {
  readonly schedule: Schedule;
  readonly config: Pick<ScoreDistillationConfig, "weight" | "times" | "draws">;
}

/**
 * Draws `ε` and `t`, one of each for the whole batch, and noises the student's edit with them; `config.draws` times.
 *
 * Two draws make a pair: one time, and a noise with its opposite, so that what the score owes to the noise alone
 * cancels where it is linear. Pairs share the range of times: each has a stretch of its own, half as wide for the last
 * of an odd number, so that all draws together have the density of one. Pure noise is left out: with zero terminal SNR a
 * teacher that predicts v has `ε̂ = ε` there and nothing to say.
 */
export function addNoise(
  x0: Float<"(b f) c h w">,
  rng: Rng,
  { schedule, config }: ScoreDistillationOptions,
): readonly Noised[] {
  const times = drawTimes(schedule, config, rng);
  return noGrad(() =>
    times.flatMap((t, pair) => {
      const noise = normal(rng.split("noise").split(pair), x0.shape).toDevice(x0.device);
      const isWhole = 2 * pair + 2 <= config.draws;
      const noises = isWhole ? [noise, noise.mul(-1)] : [noise];
      return noises.map((of) => ({ x0, xt: schedule.addNoise(x0, of, t), noise: of, t }));
    }),
  );
}

/** One time for each pair of draws, the last of an odd number for one. */
function drawTimes(
  { steps, isZeroTerminal }: Schedule,
  { times: [least, greatest], draws }: Pick<ScoreDistillationConfig, "times" | "draws">,
  rng: Rng,
): readonly number[] {
  const last = Math.min(Math.floor(greatest * steps), steps - (isZeroTerminal ? 2 : 1));
  const first = Math.min(Math.ceil(least * steps), last);
  const pairs = Math.ceil(draws / 2);
  const within = rng.split("time").uniforms(pairs);
  return Array.from(
    within,
    (u, pair) => first + Math.floor(stretch(pair, draws, u) * (last - first + 1)),
  );
}

/** A place `u` in [0, 1) of the stretch of a pair, as a share of all times: as wide as the pair has draws. */
function stretch(pair: number, draws: number, u: number): number {
  const own = Math.min(2, draws - 2 * pair);
  return (2 * pair + u * own) / draws;
}

/** `c(t)·(ε̂ − ε)`: what `teacher` would have changed of a noised sample. */
export function weightedScore<Condition>(
  teacher: Denoiser<Condition>,
  { xt, noise, t }: Pick<Noised, "xt" | "noise" | "t">,
  condition: Condition,
  { schedule, config }: ScoreDistillationOptions,
): Float<"(b f) c h w"> {
  const score = teacher.predict(xt, t, condition).noise.sub(noise);
  return score.mul(scoreWeight(schedule, config.weight, t));
}

/**
 * Score distillation sampling, `L_SDS` (§3.2): moves `x0` towards what `teacher` would have drawn.
 *
 * Its gradient is `c(t)·(ε̂ − ε) / n` for the n elements of `x0`, with no term through the teacher: the paper's,
 * averaged over elements, so that its size does not depend on the clip's. Autodiff gets that from half the mean
 * squared distance to `x0 − c(t)·(ε̂ − ε)`, held constant; the value is half the mean square of `c(t)·(ε̂ − ε)`.
 */
export function scoreDistillation<Condition>(
  teacher: Denoiser<Condition>,
  { x0, xt, noise, t }: Noised,
  condition: Condition,
  options: ScoreDistillationOptions,
): Float<""> {
  // What a teacher's networks leave behind is as large as the student's own states
  const target = scoped(() =>
    noGrad(() => x0.sub(weightedScore(teacher, { xt, noise, t }, condition, options))),
  );
  return x0.sub(target).square().mean().mul(0.5);
}
