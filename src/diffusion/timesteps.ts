import { ConfigError } from "../engine/errors.ts";
import type { Schedule } from "./schedule.ts";

/** How a sampler's times are spread: `trailing` starts at T − 1, which zero terminal SNR needs. */
export type Spacing = "trailing" | "leading" | "linspace";

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
  const indices = Array.from({ length: count }, (_, index) => index);
  switch (spacing) {
    case "trailing":
      return indices.map((i) => roundEven(steps - (i * steps) / count) - 1);
    case "leading":
      return indices.map((i) => (count - 1 - i) * Math.floor(steps / count) + offset);
    case "linspace":
      return indices.map((i) =>
        count === 1 ? 0 : roundEven(((count - 1 - i) * (steps - 1)) / (count - 1)),
      );
  }
}
