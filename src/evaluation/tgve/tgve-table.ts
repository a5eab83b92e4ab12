import { intervalText } from "../statistics/cells.ts";
import type { TgveMetric, TgveScores } from "./tgve-means.ts";
import type { BenchmarkScored } from "./tgve-metrics.ts";

/** The metrics as the paper's Table 1 names them, with the decimals that tell methods apart. */
const COLUMNS: readonly (readonly [metric: TgveMetric, heading: string, decimals: number])[] = [
  ["pickScore", "PickScore", 2],
  ["clipFrame", "CLIPFrame", 4],
  ["clipText", "text alignment", 2],
  ["viclipDir", "ViCLIP_dir", 4],
  ["viclipOut", "ViCLIP_out", 4],
];

/** Means of a submission, or of differences: a row for each kind of edit, one for all, and its 95 % intervals over videos. */
export function tgveTable({
  means,
  byEdit,
  intervals,
  scored,
}: Pick<BenchmarkScored, "means" | "byEdit" | "intervals" | "scored">): string[][] {
  const cells = (scores: TgveScores): string[] =>
    COLUMNS.map(([metric, , decimals]) => text(scores[metric], decimals));
  return [
    ["edit", ...COLUMNS.map(([, heading]) => heading)],
    ...Object.entries(byEdit).map(([kind, scores]) => [kind, ...cells(scores)]),
    [`all ${scored}`, ...cells(means)],
    [
      "95 %",
      ...COLUMNS.map(([metric, , decimals]) =>
        intervalText(intervals[metric], (value) => text(value, decimals)),
      ),
    ],
  ];
}

function text(value: number | null, decimals: number): string {
  return value === null ? "–" : value.toFixed(decimals);
}
