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
  /** The fewest units that an interval is given of, two or more; default `LEAST`. */
  readonly least?: number;
}

/**
 * The fewest units that an interval is given of.
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

/** Where the values of a sample come from, a label for each. */
export interface Origin {
  /** What was drawn as a whole, such as a video of several edits; by default each value by itself. */
  readonly units?: readonly string[] | undefined;
  /** What has units of a fixed number, such as a task; by default all are of one. */
  readonly strata?: readonly string[] | undefined;
}

/** The mean of what clips have, and its interval. */
export function estimated(
  perClip: readonly (number | null)[],
  options: BootstrapOptions & Origin = {},
): Estimated {
  const has = (_: unknown, clip: number): boolean => perClip[clip] !== null;
  const values = perClip.filter((value) => value !== null);
  const { units, strata } = options;
  const origin = { units: units?.filter(has), strata: strata?.filter(has) };
  return { mean: mean(values), interval: bootstrapInterval(values, { ...options, ...origin }) };
}

/**
 * The percentile bootstrap interval of a mean (Efron 1979): how far it might be off for this choice of clips.
 *
 * Whole units are drawn, of each stratum by itself: what tells tasks apart is no spread of clips. Null of
 * fewer units than `LEAST`. Resamples of equal values are all alike: their interval goes by `range`, and there is none
 * without.
 */
export function bootstrapInterval(
  values: readonly number[],
  options: BootstrapOptions & Origin = {},
): Interval | null {
  const { seed = 0, resamples = 1000, level = 0.95, range, least = LEAST } = options;
  const strata = unitsByStratum(values, options);
  const count = strata.flat().length;
  if (count < least) return null;
  if (values.every((value) => value === values[0]))
    return range === undefined ? null : equalInterval(values[0]!, { count, level, range });
  const rng = Rng.seed(seed).split("bootstrap");
  const means = Float64Array.from({ length: resamples }, (_, resample) =>
    resampledMean(strata, rng.split(resample).uniforms(count - strata.length)),
  ).toSorted();
  const at = (share: number): number => means[Math.round(share * (resamples - 1))]!;
  return [at((1 - level) / 2), at((1 + level) / 2)];
}

/** What is drawn as a whole: the sum of its values, and how many they are. */
interface Unit {
  readonly sum: number;
  readonly values: number;
}

/** The units of each stratum; of one together where one has a single unit, whose spread nobody knows. */
function unitsByStratum(
  values: readonly number[],
  { units, strata }: Origin,
): readonly (readonly Unit[])[] {
  const indices = Map.groupBy(values.keys(), (index) => units?.[index] ?? index);
  const all = [...indices.values()].map((own) => ({
    sum: own.reduce((sum, index) => sum + values[index]!, 0),
    values: own.length,
    stratum: strata?.[own[0]!],
  }));
  const byStratum = [...Map.groupBy(all, ({ stratum }) => stratum).values()];
  return byStratum.some((own) => own.length < 2) ? [all] : byStratum;
}

/**
 * The mean of a resample by its draws in [0, 1).
 *
 * One unit fewer than a stratum has is drawn of it: means of as many spread less than means of clips do (McCarthy and
 * Snowden 1985). They stand for all of its units.
 */
function resampledMean(strata: readonly (readonly Unit[])[], draws: Float32Array): number {
  let [drawn, sum, count] = [0, 0, 0];
  for (const units of strata) {
    const weight = units.length / (units.length - 1);
    for (let place = 1; place < units.length; place++) {
      const unit = units[Math.floor(draws[drawn++]! * units.length)]!;
      sum += weight * unit.sum;
      count += weight * unit.values;
    }
  }
  return sum / count;
}

/**
 * What the mean may be where the values of so many units all came out equal.
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
