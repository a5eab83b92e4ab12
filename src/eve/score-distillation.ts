import { z } from "zod";
import { noGrad } from "../engine/autodiff.ts";
import { normal, type Rng } from "../engine/random.ts";
import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import type { Schedule } from "../diffusion/schedule.ts";

const share = z.number().gt(0).lt(1);

/** How a teacher is guided while it scores: scales of classifier-free guidance, 1 for none. */
const guidance = (image: number, text: number) =>
  z
    .strictObject({
      image: z.number().min(0).default(image),
      text: z.number().min(0).default(text),
    })
    .prefault({});

/**
 * What the paper leaves open of `L_SDS` (§3.2).
 *
 * Deviation: `c(t)`, the range of t and the teachers' guidance are not in the paper. The defaults are DreamFusion's
 * weight and times, and the guidance that Emu Edit and Emu Video sample with.
 */
export const ScoreDistillationConfig = z.strictObject({
  /** c(t): 1, σ(t)², or α(t)·σ(t). */
  weight: z.enum(["one", "sigmaSquared", "alphaSigma"]).default("sigmaSquared"),
  /** The least and the greatest t, as shares of T; drawn uniformly. */
  times: z
    .tuple([share, share])
    .refine(([first, last]) => first <= last, "the first time must not be after the last")
    .default([0.02, 0.98]),
  /** Guidance of the edit teacher; image: how closely to follow the input frame. */
  guideEdit: guidance(1.5, 5),
  /** Guidance of the video teacher; image: how closely to follow the first frame. */
  guideVideo: guidance(2, 7.5),
});
export type ScoreDistillationConfig = z.infer<typeof ScoreDistillationConfig>;

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

/** Where a score is taken: the schedule, and the settings that say when and how much it counts. */
export interface ScoreDistillationOptions {
  readonly schedule: Schedule;
  readonly config: Pick<ScoreDistillationConfig, "weight" | "times">;
}

/**
 * Draws `ε` and `t`, one for the whole batch, and noises the student's edit with them.
 *
 * Pure noise is left out: with zero terminal SNR a teacher that predicts v has `ε̂ = ε` there and nothing to say.
 */
export function addNoise(
  x0: Float<"(b f) c h w">,
  rng: Rng,
  { schedule, config }: ScoreDistillationOptions,
): Noised {
  return noGrad(() => {
    const t = drawTime(schedule, config.times, rng.split("time"));
    const noise = normal(rng.split("noise"), x0.shape).toDevice(x0.device);
    return { x0, xt: schedule.addNoise(x0, noise, t), noise, t };
  });
}

function drawTime(
  { steps, isZeroTerminal }: Schedule,
  [least, greatest]: readonly [number, number],
  rng: Rng,
): number {
  const last = Math.min(Math.floor(greatest * steps), steps - (isZeroTerminal ? 2 : 1));
  const first = Math.min(Math.ceil(least * steps), last);
  return first + rng.integer(last - first + 1);
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
  { schedule, config }: ScoreDistillationOptions,
): Float<""> {
  const target = noGrad(() => {
    const score = teacher.predict(xt, t, condition).noise.sub(noise);
    return x0.sub(score.mul(scoreWeight(schedule, config.weight, t)));
  });
  return x0.sub(target).square().mean().mul(0.5);
}
