import { normal, type Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Prediction } from "../../diffusion/prediction.ts";
import { ddimJump } from "../../diffusion/samplers.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { atTemperature } from "../../diffusion/temperature.ts";
import type { SamplingDefaults } from "../../eve/model-description.ts";
import { weightedMean } from "./velocity.ts";

/** How a model is sampled in use. */
export interface InUseOptions {
  readonly schedule: Schedule;
  readonly sampling: SamplingDefaults;
  readonly rng: Rng;
  /** What of an error counts; default: its square. */
  readonly error?: "squared" | "absolute" | undefined;
  /** What each place counts, of mean one, broadcast over channels. */
  readonly weights?: Float<"b 1 h w"> | undefined;
}

/**
 * The mean error, squared or absolute, of every step of an edit as in use, with `x0` as the one right answer: each step is
 * shown what the step before it made, held constant.
 *
 * Errors of x̂₀ are divided by σ(t): those of the velocity that would have answered right.
 */
export function lossInUse<Condition>(
  denoiser: Denoiser<Condition>,
  x0: Float<"b c h w">,
  condition: Condition,
  { schedule, sampling, rng, error = "squared", weights }: InUseOptions,
): Float<""> {
  const noise = atTemperature(normal(rng, x0.shape), sampling.temperature);
  const losses: Float<"">[] = [];
  let before: Prediction | null = null;
  for (const t of sampling.times) {
    const xt: Float<"b c h w"> = before ? ddimJump(before, schedule, t) : noise;
    const said = denoiser.predict(xt, t, condition);
    const errors = said.x0.sub(x0).div(schedule.sigma(t));
    losses.push(weightedMean(error === "squared" ? errors.square() : errors.abs(), weights));
    before = { x0: said.x0.detach(), noise: said.noise.detach() };
  }
  return Tensor.stack(losses, 0).mean();
}
