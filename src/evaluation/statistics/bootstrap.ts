import { Rng } from "../../engine/random.ts";

/** An interval: its lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** A mean over clips with its 95 % interval. */
export interface Estimated {
  readonly mean: number | null;
  /** Null of fewer than `LEAST` clips, and where all have one value and nothing bounds it. */
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
  /** The least and the most that a value can be, e.g. [0, 1] of a share; unknown by default. */
  readonly range?: Interval | undefined;
  /** The fewest values that an interval is given of; default `LEAST`. */
  readonly least?: number;
}

/**
 * The fewest values that an interval is given of.
 *
 * Of two normal values a 95 % interval misses the mean every second time, of four every sixth, of ten one time in ten and of
 * many one in twenty, as it promises (simulated in `figures.test.ts`).
 */
export const LEAST = 10;

/** The arithmetic mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean of what clips have, and its interval. */
export function estimated(
  perClip: readonly (number | null)[],
  options: BootstrapOptions = {},
): Estimated {
  const values = perClip.filter((value) => value !== null);
  return { mean: mean(values), interval: bootstrapInterval(values, options) };
}

/**
 * The percentile bootstrap interval of a mean (Efron 1979): how far it might be off for this choice of clips.
 *
 * Null of fewer than `LEAST` values. Resamples of equal values are all alike: their interval goes by `range`, and there is
 * none without.
 */
export function bootstrapInterval(
  values: readonly number[],
  { seed = 0, resamples = 1000, level = 0.95, range, least = LEAST }: BootstrapOptions = {},
): Interval | null {
  const count = values.length;
  if (count < least) return null;
  if (values.every((value) => value === values[0]))
    return range === undefined ? null : equalInterval(values[0]!, { count, level, range });
  const rng = Rng.seed(seed).split("bootstrap");
  const means = Float64Array.from({ length: resamples }, (_, resample) => {
    // one fewer than there are: means of as many spread less than means of clips do (McCarthy and Snowden 1985)
    const draws = rng.split(resample).uniforms(count - 1);
    return draws.reduce((sum, draw) => sum + values[Math.floor(draw * count)]!, 0) / (count - 1);
  }).toSorted();
  const at = (share: number): number => means[Math.round(share * (resamples - 1))]!;
  return [at((1 - level) / 2), at((1 + level) / 2)];
}

/**
 * What the mean may be where all of so many values came out equal.
 *
 * With more than a share `others` of other values that would happen less than one time in forty (at 95 %), and those are no
 * further off than `range` allows. Of a share of 0 or 1 this is the exact interval (Clopper and Pearson 1934), as wide as
 * 3.7 by the count; of differences of successes in [-1, 1] that are all 0 it goes as far to either side.
 */
function equalInterval(
  value: number,
  { count, level, range }: { count: number; level: number; range: Interval },
): Interval {
  const others = 1 - ((1 - level) / 2) ** (1 / count);
  const [least, most] = range;
  return [value - others * (value - least), value + others * (most - value)];
}
