import { figure, intervalText, percent } from "./cells.ts";
import type { Estimated, PairedFigures } from "./paired.ts";

/** Headings of `comparisonCells`; a plus marks a difference. */
export const COMPARISON_HEADINGS = [
  "clips",
  "better %",
  "95 %",
  "success +%",
  "95 %",
  "steady +%",
  "95 %",
  "PSNR +dB",
  "95 %",
  "changed",
  "kept",
  "flicker ×",
];

/** One method beside another as cells. */
export function comparisonCells(figures: PairedFigures): string[] {
  const { clips, better, success, steady, psnr, psnrChanged, psnrKept, flickerRatio } = figures;
  const points = ({ mean, interval }: Estimated): string[] => [
    percent(mean),
    intervalText(interval, percent),
  ];
  return [
    String(clips),
    ...points(better),
    ...points(success),
    ...points(steady),
    figure(psnr.mean),
    intervalText(psnr.interval, figure),
    figure(psnrChanged.mean),
    figure(psnrKept.mean),
    figure(flickerRatio),
  ];
}
