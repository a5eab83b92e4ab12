import { estimateCells, figure, percent } from "./cells.ts";
import type { PairedFigures } from "./paired.ts";

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
  return [
    String(clips),
    ...estimateCells(better, percent),
    ...estimateCells(success, percent),
    ...estimateCells(steady, percent),
    ...estimateCells(psnr, figure),
    figure(psnrChanged.mean),
    figure(psnrKept.mean),
    figure(flickerRatio),
  ];
}
