import { Rng } from "../../engine/random.ts";

/** An interval: its lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** A mean over clips with its 95 % bootstrap interval. */
export interface Estimated {
  readonly mean: number | null;
  readonly interval: Interval | null;
}

/** How the interval is drawn. */
export interface BootstrapOptions {
  /** Default 0: the same values give the same interval. */
  readonly seed?: number;
  /** Number of resamples; default 1000. */
  readonly resamples?: number;
  /** Probability that the interval covers the mean; default 0.95. */
  readonly level?: number;
}

/** The arithmetic mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean of what clips have, and its interval. */
export function estimated(perClip: readonly (number | null)[]): Estimated {
  const values = perClip.filter((value) => value !== null);
  return { mean: mean(values), interval: bootstrapInterval(values) };
}

/**
 * The percentile bootstrap interval of a mean (Efron 1979): how far it might be off for this choice of clips.
 *
 * Null where there are no values; a single value gives an interval of no width.
 */
export function bootstrapInterval(
  values: readonly number[],
  { seed = 0, resamples = 1000, level = 0.95 }: BootstrapOptions = {},
): Interval | null {
  const count = values.length;
  if (count === 0) return null;
  const rng = Rng.seed(seed).split("bootstrap");
  const means = Float64Array.from({ length: resamples }, (_, resample) => {
    const draws = rng.split(resample).uniforms(count);
    return draws.reduce((sum, draw) => sum + values[Math.floor(draw * count)]!, 0) / count;
  }).toSorted();
  const at = (share: number): number => means[Math.round(share * (resamples - 1))]!;
  return [at((1 - level) / 2), at((1 + level) / 2)];
}
