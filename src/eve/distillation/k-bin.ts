import type { Denoiser } from "../../diffusion/denoiser.ts";
import { ddimJump } from "../../diffusion/samplers.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { evenlyFrom, timesteps } from "../../diffusion/timesteps.ts";
import { checkpoint } from "../../engine/checkpoint.ts";
import type { Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { KBinConfig } from "./distillation-config.ts";

/**
 * One time from each of k equal bins of the schedule, or of what is below `from`, falling (§3.3).
 *
 * A bin ends where a sampler of k trailing steps stops: for T = 1000 and k = 3 at 999, 666 and 332, which are the
 * `fixed` times. `random` ones are uniform within their bin, a function of `rng` alone.
 */
export function kBinTimes(
  schedule: Schedule,
  { bins, times, from, start }: KBinConfig,
  rng: Rng,
): number[] {
  const ends = timesteps(schedule, bins, from === null ? "trailing" : evenlyFrom(from, bins));
  return ends.map((end, bin) => {
    if (times === "fixed" || (start === "end" && bin === 0)) return end;
    const before = ends[bin + 1] ?? -1;
    return end - rng.split(bin).integer(end - before);
  });
}

/** The schedule of a chain of steps, and the falling times at which the student is asked. */
export interface KBinSteps {
  readonly schedule: Schedule;
  readonly times: readonly number[];
  /**
   * Whether the backward pass evaluates each step once more, instead of memory holding its intermediates; default true.
   * `layers`: the student itself has its layers computed again.
   */
  readonly recompute?: boolean | "layers";
}

/**
 * The student's sample `x'_0`: from the noise `xT` by DDIM (η = 0) through `times`, the last jump giving `x̂_0`.
 *
 * Gradients run through all steps. With `recompute` each is checkpointed, so that memory holds the states between
 * steps and the intermediates of one network evaluation; the backward pass evaluates the student once more per step.
 */
export function kBinSample<Condition>(
  student: Denoiser<Condition>,
  xT: Float<"(b f) c h w">,
  condition: Condition,
  { schedule, times, recompute = true }: KBinSteps,
): Float<"(b f) c h w"> {
  let x = xT;
  for (const [index, t] of times.entries()) {
    const step = (xt: Float<"(b f) c h w">): Float<"(b f) c h w"> =>
      ddimJump(student.predict(xt, t, condition), schedule, times[index + 1] ?? null);
    const from = x;
    // What lies between layers is needed again, and is all that there is
    if (recompute === "layers") x = step(from);
    else if (!recompute) x = scoped(() => step(from));
    // The noise is a constant: as no input of the checkpoint it gets no gradient
    else x = index === 0 ? checkpoint(() => step(xT)) : checkpoint(step, from);
  }
  return x;
}
