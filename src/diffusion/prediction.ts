import { ConfigError } from "../engine/errors.ts";
import type { Float } from "../engine/tensor.ts";
import type { Schedule, Time } from "./schedule.ts";

/**
 * What a network's output means: the noise ε, the velocity `v = α·ε − σ·x0`, or the clean sample x₀.
 *
 * Stable Diffusion 1.5 predicts `noise`; our own training predicts `v`, which is defined at every noise level.
 */
export type PredictionKind = "noise" | "v" | "x0";

/** A denoiser's answer, both halves of the same split: `xt = α(t)·x0 + σ(t)·noise`. */
export interface Prediction {
  readonly x0: Float<"b ...">;
  readonly noise: Float<"b ...">;
}

/** Where a network's output was made: the noisy sample, its time and the schedule of both. */
export interface NoisyAt {
  readonly xt: Float<"b ...">;
  readonly t: Time;
  readonly schedule: Schedule;
}

/**
 * Splits `xt` into clean sample and noise, as the network's `output` says, in the dtype of `xt`.
 *
 * At pure noise (α = 0) an output of kind `noise` says nothing about x₀, and that is a ConfigError.
 */
export function toPrediction(
  kind: PredictionKind,
  output: Float<"b ...">,
  at: NoisyAt,
): Prediction {
  const { xt, t, schedule } = at;
  const { alpha, sigma } = schedule.coefficients(t, xt);
  const given = output.to(xt.dtype);
  switch (kind) {
    case "v":
      return {
        x0: xt.mul(alpha).sub(given.mul(sigma)),
        noise: xt.mul(sigma).add(given.mul(alpha)),
      };
    case "noise":
      refusePureNoise(schedule, t);
      return { x0: xt.sub(given.mul(sigma)).div(alpha), noise: given };
    case "x0":
      refuseClean(schedule, t);
      return { x0: given, noise: xt.sub(given.mul(alpha)).div(sigma) };
  }
}

/**
 * What a network of this `kind` puts out when it means `prediction`.
 *
 * With the true x₀ and noise this is the regression target of training.
 */
export function targetFor(
  kind: PredictionKind,
  { x0, noise }: Prediction,
  t: Time,
  schedule: Schedule,
): Float<"b ..."> {
  switch (kind) {
    case "noise":
      return noise;
    case "x0":
      return x0;
    case "v": {
      const { alpha, sigma } = schedule.coefficients(t, x0);
      return noise.mul(alpha).sub(x0.mul(sigma));
    }
  }
}

/** Whether any of the times `t` is `level`. */
function meets(t: Time, level: number): boolean {
  return typeof t === "number" ? t === level : t.eq(level).to("float32").max().item() === 1;
}

function refusePureNoise(schedule: Schedule, t: Time): void {
  const last = schedule.steps - 1;
  if (!schedule.isZeroTerminal || !meets(t, last)) return;
  throw new ConfigError(
    `expected a time with some signal left, got t = ${last} where α = 0: x0 cannot be told from the noise; ` +
      "use a network that predicts v or x0, or a schedule without zero terminal SNR",
  );
}

function refuseClean(schedule: Schedule, t: Time): void {
  if (schedule.alphaBar(0) < 1 || !meets(t, 0)) return;
  throw new ConfigError(
    "expected a time with some noise, got t = 0 where σ = 0: the noise cannot be told from x0; leave that time out",
  );
}
