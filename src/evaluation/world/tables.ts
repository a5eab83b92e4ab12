import { METHOD_NAMES } from "../methods/method-names.ts";
import { figure, HEADINGS, intervalText, percent } from "../statistics/cells.ts";
import { COMPARISON_HEADINGS, comparisonCells } from "../statistics/comparison-table.ts";
import type { Comparison } from "../statistics/paired.ts";
import type { Summary, TaskSummary } from "../statistics/summary.ts";
import type { WorldReport } from "./world-evaluation.ts";

/** Rows of cells under a title. */
export interface ReportTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** A report for reading: the clips by task and method, the single frames by task, and the rest. */
export function reportTables(report: WorldReport): ReportTable[] {
  const { methods, single } = report;
  const named = METHOD_NAMES.flatMap((name) => {
    const summary = methods[name];
    return summary === undefined ? [] : [{ name, summary }];
  });
  return [
    { title: "the model's parts", rows: partRows(report) },
    {
      title: "edit adapter, single frames",
      rows: single ? [["task", "frames", ...HEADINGS], ...taskRows(single)] : [],
    },
    ...named.map(({ name, summary }) => ({
      title: `whole clips: ${name}`,
      rows: [["task", "clips", ...HEADINGS], ...taskRows(summary)],
    })),
    { title: "whole clips, all tasks", rows: summaryTable(named) },
    { title: "clip by clip", rows: comparisonRows(report.comparisons) },
  ].filter(({ rows }) => rows.length > 0);
}

/** One row for each method. */
export function summaryTable(
  named: readonly { readonly name: string; readonly summary: Summary }[],
): string[][] {
  if (named.length === 0) return [];
  return [
    ["method", "clips", ...HEADINGS],
    ...named.map(({ name, summary }) => [name, ...cells(summary)]),
  ];
}

function comparisonRows(comparisons: readonly Comparison[]): string[][] {
  if (comparisons.length === 0) return [];
  return [
    ["method", "against", ...COMPARISON_HEADINGS],
    ...comparisons.map(({ method, against, ...figures }) => [
      method,
      against,
      ...comparisonCells(figures),
    ]),
  ];
}

function taskRows(summary: TaskSummary): string[][] {
  const tasks = Object.entries(summary.tasks).map(([task, own]) => [task].concat(cells(own)));
  return [...tasks, ["all", ...cells(summary)]];
}

function cells(summary: Summary): string[] {
  const { clips, success, steady, edited, kept, flicker, psnr, psnrChanged, psnrKept } = summary;
  const { intervals } = summary;
  return [
    String(clips),
    percent(success),
    intervalText(intervals.success, percent),
    percent(steady),
    intervalText(intervals.steady, percent),
    percent(edited),
    percent(kept),
    figure(flicker, 100),
    figure(psnr),
    figure(psnrChanged),
    figure(psnrKept),
  ];
}

function partRows({ autoencoder, video }: WorldReport): string[][] {
  const rows: string[][] = [];
  if (autoencoder) {
    const { frames, psnr, interval } = autoencoder;
    const detail = `${frames} frames, 95 %: ${intervalText(interval, figure)}`;
    rows.push(["autoencoder, PSNR dB", figure(psnr), detail]);
  }
  if (video) {
    const { scenes, adapter, independent, still, reconstruction } = video;
    const hundredfold = (value: number | null): string => figure(value, 100);
    const row = (name: string, { flicker, interval }: typeof adapter): string[] => [
      `${name}, flicker ×100`,
      hundredfold(flicker),
      `${scenes} scenes, 95 %: ${intervalText(interval, hundredfold)}`,
    ];
    rows.push(
      row("video adapter", adapter),
      row("the same from one noise", video.sharedAdapter),
      row("backbone, frame by frame", independent),
      row("first frame, repeated", still),
      row("the truth, reconstructed", reconstruction),
      ["video adapter by backbone", figure(video.ratio), "target: at most 0.50"],
    );
  }
  return rows;
}
