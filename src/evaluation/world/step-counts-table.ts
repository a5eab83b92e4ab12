import type { Interval } from "../statistics/bootstrap.ts";
import { figure, percent } from "../statistics/cells.ts";
import type { Figure } from "../statistics/summary.ts";
import { LOST_SHARE, type FastestSteps, type StepCountReport } from "./step-counts.ts";

/** One row for each method and number of steps; intervals in brackets. */
export function stepCountsTable({ rows }: StepCountReport): string[][] {
  const heads = [
    "method",
    "steps",
    "clips",
    "success %",
    "beside the best",
    "edited %",
    "kept %",
    "flicker ×100",
    "PSNR changed",
    "PSNR kept",
    "s/clip",
  ];
  const body = rows.map(({ method, steps, summary, besideBest, secondsPerClip }) => {
    const cell = (of: Figure, text: (value: number | null) => string): string =>
      estimate(summary[of], summary.intervals[of], text);
    const hundredfold = (value: number | null): string => figure(value, 100);
    return [
      method,
      String(steps),
      String(summary.clips),
      cell("success", percent),
      estimate(besideBest.mean, besideBest.interval, percent),
      cell("edited", percent),
      cell("kept", percent),
      cell("flicker", hundredfold),
      cell("psnrChanged", figure),
      cell("psnrKept", figure),
      figure(secondsPerClip),
    ];
  });
  return [heads, ...body];
}

/** Which step count to take, in a sentence. */
export function fastestSentence({ method, steps, best }: FastestSteps): string {
  const lost = `${100 * LOST_SHARE} %`;
  return steps === null
    ? `${method}: no number of steps has an edit that is edited and kept, so none can be recommended`
    : `${method}: ${steps} steps is the fastest that loses no more than ${lost} of edited-and-kept (most at ${best})`;
}

function estimate(
  value: number | null,
  interval: Interval | null,
  text: (value: number | null) => string,
): string {
  if (interval === null) return text(value);
  return `${text(value)} [${text(interval[0])}, ${text(interval[1])}]`;
}
