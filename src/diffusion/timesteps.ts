import { ConfigError } from "../engine/errors.ts";
import type { Schedule } from "./schedule.ts";

/**
 * How a sampler's times are spread: `trailing` starts at T − 1, which zero terminal SNR needs. Or the times themselves,
 * falling, one for each step.
 */
export type Spacing = "trailing" | "leading" | "linspace" | readonly number[];

/**
 * The spacing of so many steps for a model with `times` of its own: those, if they are as many; else evenly, from the first of
 * them.
 */
export function spacingOf(steps: number, times: readonly number[] | null | undefined): Spacing {
  const first = times?.[0];
  if (first === undefined) return "trailing";
  return times?.length === steps ? times : evenlyFrom(first, steps);
}

/** `count` falling times, `first` and then evenly as far as below 0: from T − 1 they are the `trailing` ones. */
export function evenlyFrom(first: number, count: number): number[] {
  const levels = first + 1;
  return Array.from({ length: count }, (_, i) => roundEven(levels - (i * levels) / count) - 1);
}

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
  if (typeof spacing === "object") return listed(spacing, count, steps);
  const indices = Array.from({ length: count }, (_, index) => index);
  switch (spacing) {
    case "trailing":
      return evenlyFrom(steps - 1, count);
    case "leading":
      return indices.map((i) => (count - 1 - i) * Math.floor(steps / count) + offset);
    case "linspace":
      return indices.map((i) =>
        count === 1 ? 0 : roundEven(((count - 1 - i) * (steps - 1)) / (count - 1)),
      );
  }
}

function listed(times: readonly number[], count: number, steps: number): number[] {
  const isFalling = times.every((t, i) => Number.isInteger(t) && t < (times[i - 1] ?? steps));
  if (times.length === count && isFalling && times.at(-1)! >= 0) return [...times];
  throw new ConfigError(
    `expected ${count} falling times from ${steps - 1} to 0, got ${times.join(", ")}`,
  );
}
