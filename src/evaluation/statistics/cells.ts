import type { Estimated, Interval } from "./bootstrap.ts";

/** What every table of an evaluation says of a method, in this order. */
export const HEADINGS = [
  "success %",
  "95 %",
  "steady %",
  "95 %",
  "edited %",
  "kept %",
  "flicker ×100",
  "PSNR dB",
  "changed",
  "kept",
];

/** An interval as `from–to`; a dash for none. */
export function intervalText(
  interval: Interval | null,
  text: (value: number | null) => string,
): string {
  return interval === null ? "–" : `${text(interval[0])}–${text(interval[1])}`;
}

/** A mean and its interval. */
export function estimateCells(
  { mean, interval }: Estimated,
  text: (value: number | null) => string,
): string[] {
  return [text(mean), intervalText(interval, text)];
}

/** A share in percent, one decimal; a dash for none. */
export function percent(value: number | null): string {
  return value === null ? "–" : (100 * value).toFixed(1);
}

/** A figure, two decimals, after scaling; a dash for none. */
export function figure(value: number | null, scale = 1): string {
  return value === null ? "–" : (scale * value).toFixed(2);
}
