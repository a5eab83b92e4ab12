import { z } from "zod";
import { parseConfig } from "../engine/config.ts";
import { ConfigError } from "../engine/errors.ts";
import { persist } from "../engine/scope.ts";
import { Tensor, type Float, type Int } from "../engine/tensor.ts";

/** How fast noise replaces the signal; the defaults are those of Stable Diffusion and Emu Video. */
export const ScheduleConfig = z.strictObject({
  /** How β grows from `betaStart` to `betaEnd`: itself linearly, or its square root (Emu Video: "quad"). */
  kind: z.enum(["linear", "scaled_linear"]).default("scaled_linear"),
  /** Number of noise levels, T. */
  steps: z.int().min(2).max(100_000).default(1000),
  betaStart: z.number().positive().lt(1).default(0.00085),
  betaEnd: z.number().positive().lt(1).default(0.012),
  /** Whether the last level is pure noise; needs a network that predicts v or x₀. */
  zeroTerminalSnr: z.boolean().default(false),
});
/** The resolved form of `ScheduleConfig`'s schema. */
export type ScheduleConfig = z.infer<typeof ScheduleConfig>;

/** A diffusion time: one for the whole tensor, or one for each entry of its first axis. */
export type Time = number | Int<"b">;

/** α and σ of one `Time`, ready to multiply: numbers, or tensors `[b 1 1 …]`. */
export interface Coefficients {
  readonly alpha: Tensor | number;
  readonly sigma: Tensor | number;
}

/**
 * The noise levels of a diffusion process, from nearly clean (t = 0) to nearly or wholly noise (t = T − 1).
 *
 * At time t a sample is `xt = α(t)·x0 + σ(t)·noise` with `α² = ᾱ(t)` and `σ² = 1 − ᾱ(t)`.
 */
export class Schedule {
  /** Number of levels, T. */
  readonly steps: number;
  readonly #alphaBars: Float64Array;
  readonly #tables = new Map<string, { alpha: Float<"t">; sigma: Float<"t"> }>();

  /** `alphaBars` holds ᾱ for t = 0 … T − 1: within [0, 1] and strictly falling. */
  constructor(alphaBars: Float64Array) {
    const isFalling = alphaBars.every((value, t) => t === 0 || value < (alphaBars[t - 1] ?? 0));
    const isBounded = (alphaBars[0] ?? 2) <= 1 && (alphaBars.at(-1) ?? -1) >= 0;
    if (!isFalling || !isBounded) {
      throw new ConfigError(
        `expected ᾱ to fall strictly within [0, 1], got ${alphaBars.length} values from ${alphaBars[0]} to ${alphaBars.at(-1)}`,
      );
    }
    this.steps = alphaBars.length;
    this.#alphaBars = alphaBars.slice();
  }

  /** Whether the last level is pure noise. */
  get isZeroTerminal(): boolean {
    return this.#alphaBars.at(-1) === 0;
  }

  /** ᾱ(t), the share of the signal's variance that is left at time t. */
  alphaBar(t: number): number {
    const value = this.#alphaBars[t];
    if (value === undefined) {
      throw new ConfigError(
        `expected a diffusion time among the integers 0 to ${this.steps - 1}, got ${t}`,
      );
    }
    return value;
  }

  /** The scale of the signal, √ᾱ(t). */
  alpha(t: number): number {
    return Math.sqrt(this.alphaBar(t));
  }

  /** The scale of the noise, √(1 − ᾱ(t)). */
  sigma(t: number): number {
    return Math.sqrt(1 - this.alphaBar(t));
  }

  /** α and σ to multiply `x` by: numbers for one time, `[b 1 1 …]` for a batch of times. */
  coefficients(t: Time, x: Float<"b ...">): Coefficients {
    if (typeof t === "number") return { alpha: this.alpha(t), sigma: this.sigma(t) };
    const { alpha, sigma } = this.#tablesOn(x.device);
    const shape = [-1, ...x.shape.slice(1).fill(1)];
    return {
      alpha: alpha.indexSelect(0, t).reshape(shape),
      sigma: sigma.indexSelect(0, t).reshape(shape),
    };
  }

  /** `xt = α(t)·x0 + σ(t)·noise`. */
  addNoise(x0: Float<"b ...">, noise: Float<"b ...">, t: Time): Float<"b ..."> {
    const { alpha, sigma } = this.coefficients(t, x0);
    return x0.mul(alpha).add(noise.mul(sigma));
  }

  #tablesOn(device: string): { alpha: Float<"t">; sigma: Float<"t"> } {
    const known = this.#tables.get(device);
    if (known) return known;
    const table = (values: Float64Array): Float<"t"> =>
      persist(Tensor.from(Float32Array.from(values, Math.sqrt), [this.steps]).toDevice(device));
    const tables = {
      alpha: table(this.#alphaBars),
      sigma: table(this.#alphaBars.map((alphaBar) => 1 - alphaBar)),
    };
    this.#tables.set(device, tables);
    return tables;
  }
}

/** The schedule that `config` describes; throws a ConfigError for what is none. */
export function createSchedule(config: z.input<typeof ScheduleConfig> = {}): Schedule {
  const {
    kind,
    steps,
    betaStart,
    betaEnd,
    zeroTerminalSnr: isRescaled,
  } = parseConfig(ScheduleConfig, config, "a noise schedule");
  const isScaled = kind === "scaled_linear";
  const first = isScaled ? Math.sqrt(betaStart) : betaStart;
  const last = isScaled ? Math.sqrt(betaEnd) : betaEnd;
  const alphaBars = new Float64Array(steps);
  let product = 1;
  for (let t = 0; t < steps; t++) {
    const along = first + ((last - first) * t) / (steps - 1);
    product *= 1 - (isScaled ? along * along : along);
    alphaBars[t] = product;
  }
  const schedule = new Schedule(alphaBars);
  return isRescaled ? zeroTerminalSnr(schedule) : schedule;
}

/**
 * The same schedule ending in pure noise (Lin et al. 2023, Algorithm 1; Emu Video's training schedule).
 *
 * √ᾱ is shifted so that its last value is exactly 0 and scaled so that its first is unchanged.
 */
export function zeroTerminalSnr(schedule: Schedule): Schedule {
  const first = schedule.alpha(0);
  const last = schedule.alpha(schedule.steps - 1);
  const alphaBars = Float64Array.from({ length: schedule.steps }, (_, t) => {
    const alpha = ((schedule.alpha(t) - last) * first) / (first - last);
    return alpha * alpha;
  });
  return new Schedule(alphaBars);
}

/**
 * The time at which `to` has the noise level that `from` has at `t`: equal ᾱ, not equal t.
 *
 * Networks trained on different schedules see the same noisy latent, each with its own label. The
 * answer lies between integers, and at an end of `to` where `to` does not reach that noise level.
 */
export function matchTime(from: Schedule, t: number, to: Schedule): number {
  const wanted = from.alphaBar(t);
  if (wanted >= to.alphaBar(0)) return 0;
  if (wanted <= to.alphaBar(to.steps - 1)) return to.steps - 1;
  let before = 0;
  let after = to.steps - 1;
  while (after - before > 1) {
    const middle = (before + after) >>> 1;
    if (to.alphaBar(middle) >= wanted) before = middle;
    else after = middle;
  }
  const above = to.alphaBar(before);
  return before + (above - wanted) / (above - to.alphaBar(after));
}
