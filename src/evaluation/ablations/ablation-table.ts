import { isShared } from "../methods/method-names.ts";
import { estimated, mean, type Estimated } from "../statistics/bootstrap.ts";
import { estimateCells, figure, HEADINGS, percent } from "../statistics/cells.ts";
import type { ScoredClip } from "../statistics/scored-clip.ts";
import { byFigure, rangeOf, type Figure } from "../statistics/summary.ts";

/** One run of an ablation, measured. */
export interface AblationRun {
  /** What it was distilled with; null where nothing was trained. */
  readonly seed: number | null;
  readonly clips: readonly ScoredClip[];
}

/** The two kinds of noise that a run is measured with. */
export const NOISES = ["independent", "shared"] as const;
/** The name of a kind of noise. */
export type Noise = (typeof NOISES)[number];

/** One row of the table: an ablation, over all of its runs, with one kind of noise. */
export interface AblationRow {
  readonly name: string;
  readonly title: string;
  readonly noise: Noise;
  /** Runs, each of another seed. */
  readonly runs: number;
  readonly seeds: readonly (number | null)[];
  readonly clips: number;
  /** Means over runs and clips; the intervals are over clips, each the mean of its runs. */
  readonly figures: Readonly<Record<Figure, Estimated>>;
  /** Figures of each run, and their standard deviation over runs: how much the seed decides. */
  readonly byRun: Readonly<Record<"success" | "steady" | "psnr", ByRun>>;
}

/** A figure of each run, in the order of `seeds`, and their spread: null of a single run. */
export interface ByRun {
  readonly values: readonly (number | null)[];
  readonly deviation: number | null;
}

/** The rows of one ablation from all of its runs: one for each kind of noise that was measured. */
export function ablationRows(
  { name, title }: Pick<AblationRow, "name" | "title">,
  runs: readonly AblationRun[],
): AblationRow[] {
  return NOISES.flatMap((noise) => {
    const clips = clipsOf(runs, noise);
    if (clips.size === 0) return [];
    const ofClips = [...clips.values()];
    const strata = ofClips.map(([first]) => first!.task);
    const figures = byFigure((of) =>
      estimated(
        ofClips.map((same) => mean(valuesOf(same, of))),
        { strata, range: rangeOf(of) },
      ),
    );
    const byRun = {
      success: spread(runs, noise, "success"),
      steady: spread(runs, noise, "steady"),
      psnr: spread(runs, noise, "psnr"),
    };
    const seeds = runs.map(({ seed }) => seed);
    return [{ name, title, noise, runs: runs.length, seeds, clips: clips.size, figures, byRun }];
  });
}

/** The clips of all runs with one kind of noise: under each clip's name what the runs made of it. */
export function clipsOf(
  runs: readonly AblationRun[],
  noise: Noise,
): ReadonlyMap<string, readonly ScoredClip[]> {
  const drawn = runs.flatMap(({ clips }) => withNoise(clips, noise));
  return Map.groupBy(drawn, ({ task, index }) => `${task} ${index}`);
}

/** The figure of every clip that has it, as a number. */
export function valuesOf(clips: readonly ScoredClip[], of: Figure): number[] {
  return clips.flatMap((clip) => (clip[of] === null ? [] : [Number(clip[of])]));
}

function withNoise(clips: readonly ScoredClip[], noise: Noise): ScoredClip[] {
  return clips.filter(({ method }) => isShared(method) === (noise === "shared"));
}

function spread(runs: readonly AblationRun[], noise: Noise, of: Figure): ByRun {
  return byRunOf(runs.map(({ clips }) => mean(valuesOf(withNoise(clips, noise), of))));
}

/** The figures of runs with their spread. */
export function byRunOf(values: readonly (number | null)[]): ByRun {
  return { values, deviation: deviation(values.filter((value) => value !== null)) };
}

/** The standard deviation of a sample (divided by n − 1); null of fewer than two. */
function deviation(values: readonly number[]): number | null {
  const centre = mean(values);
  if (centre === null || values.length < 2) return null;
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** The rows as cells under headings; `paper` is what Table 2 says of a row, in %. */
export function ablationTable(
  rows: readonly AblationRow[],
  paper: (name: string) => number | null = () => null,
): string[][] {
  return [
    ["ablation", "noise", "runs", "clips", ...WITH_SPREAD, "paper: EVE preferred %"],
    ...rows.map((row) => [
      row.title,
      row.noise,
      String(row.runs),
      String(row.clips),
      ...figureCells(row),
      paper(row.name)?.toFixed(1) ?? "–",
    ]),
  ];
}

/** The headings of every table, with the spread over seeds after the two shares with intervals and after PSNR. */
const WITH_SPREAD = HEADINGS.flatMap((heading) =>
  heading === "95 %" || heading === "PSNR dB" ? [heading, "± seeds"] : [heading],
);

function figureCells({ figures, byRun }: AblationRow): string[] {
  const { success, steady, edited, kept, flicker, psnr, psnrChanged, psnrKept } = figures;
  return [
    ...estimateCells(success, percent),
    percent(byRun.success.deviation),
    ...estimateCells(steady, percent),
    percent(byRun.steady.deviation),
    percent(edited.mean),
    percent(kept.mean),
    figure(flicker.mean, 100),
    figure(psnr.mean),
    figure(byRun.psnr.deviation),
    ...[psnrChanged, psnrKept].map((own) => figure(own.mean)),
  ];
}
