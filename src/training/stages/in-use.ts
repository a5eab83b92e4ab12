import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Prediction } from "../../diffusion/prediction.ts";
import { ddimJump } from "../../diffusion/samplers.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { atTemperature } from "../../diffusion/temperature.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { normal, type Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { SamplingDefaults } from "../../eve/model/model-description.ts";
import { weightedMean } from "./velocity.ts";

/** How a model is sampled in use. */
export interface InUseOptions {
  readonly schedule: Schedule;
  readonly sampling: SamplingDefaults;
  readonly rng: Rng;
  /** What of an error counts; default: its square. */
  readonly error?: "squared" | "absolute" | undefined;
  /** Which steps count: all, or one drawn at random; default all. */
  readonly learned?: "all" | "one" | undefined;
  /** What each place counts, of mean one, broadcast over channels. */
  readonly weights?: Float<"b 1 h w"> | undefined;
}

/**
 * The mean error, squared or absolute, of the steps of an edit as in use, with `x0` as the one right answer: each step is
 * shown what the step before it made, held constant.
 *
 * Where one of n steps is `learned` it is the one numbered ⌊n·u²⌋, u uniform: the first of four in half of the batches.
 *
 * Errors of x̂₀ are divided by σ(t): those of the velocity that would have answered right.
 */
export function lossInUse<Condition>(
  denoiser: Denoiser<Condition>,
  x0: Float<"b c h w">,
  condition: Condition,
  { schedule, sampling, rng, error = "squared", learned = "all", weights }: InUseOptions,
): Float<""> {
  const noise = atTemperature(normal(rng, x0.shape), sampling.temperature);
  const { times } = sampling;
  const first = learned === "all" ? 0 : earlyStep(rng.split("learned"), times.length);
  const last = learned === "all" ? times.length - 1 : first;
  const losses: Float<"">[] = [];
  let before: Prediction | null = null;
  for (const [step, t] of times.slice(0, last + 1).entries()) {
    const xt: Float<"b c h w"> = before ? ddimJump(before, schedule, t) : noise;
    const predict = (): Prediction => denoiser.predict(xt, t, condition);
    const said = step < first ? noGrad(predict) : predict();
    if (step >= first) {
      const errors = said.x0.sub(x0).div(schedule.sigma(t));
      losses.push(weightedMean(error === "squared" ? errors.square() : errors.abs(), weights));
    }
    before = { x0: said.x0.detach(), noise: said.noise.detach() };
  }
  return Tensor.stack(losses, 0).mean();
}

/** One of `count` steps, from 0, the first ones more often. */
function earlyStep(rng: Rng, count: number): number {
  return Math.floor(count * rng.uniform() ** 2);
}
