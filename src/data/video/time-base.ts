import { invariant } from "../../engine/errors.ts";

/** The unit of a stream's timestamps, exact: one tick lasts `num / den` seconds. */
export interface TimeBase {
  readonly num: number;
  readonly den: number;
}

/** `ticks` of `timeBase` in seconds, as near as a double comes. */
export function seconds(ticks: bigint, timeBase: TimeBase): number {
  return (Number(ticks) * timeBase.num) / timeBase.den;
}

/** `ticks` of one time base in ticks of another, rounded to the nearest, halves away from zero. */
export function rescale(ticks: bigint, from: TimeBase, to: TimeBase): bigint {
  const numerator = ticks * BigInt(from.num) * BigInt(to.den);
  const denominator = BigInt(from.den) * BigInt(to.num);
  const half = denominator / 2n;
  return (numerator + (numerator < 0n ? -half : half)) / denominator;
}

/** `fps` as a fraction: whole, a broadcast rate over 1001, or in thousandths. */
export function exactRate(fps: number): TimeBase {
  invariant(fps > 0 && Number.isFinite(fps), `frame rate ${fps} must be positive`);
  const broadcast = Math.round((fps * 1001) / 1000) * 1000;
  if (Number.isInteger(fps)) return { num: fps, den: 1 };
  if (Math.abs(broadcast / 1001 - fps) < 0.005) return { num: broadcast, den: 1001 };
  return { num: Math.round(fps * 1000), den: 1000 };
}

/** Whether gaps between pictures differ by more than rounding to a container's clock explains: 1 tick or 1 ms. */
export function isVariable(starts: readonly bigint[], timeBase: TimeBase): boolean {
  const gaps = starts.slice(1).map((start, index) => seconds(start - starts[index]!, timeBase));
  if (gaps.length < 2) return false;
  const [least, most] = gaps.reduce(
    ([low, high], gap) => [Math.min(low, gap), Math.max(high, gap)],
    [Infinity, -Infinity],
  );
  return most - least > 1.01 * Math.max(seconds(1n, timeBase), 0.001);
}
