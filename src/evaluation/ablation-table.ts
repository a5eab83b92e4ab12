import { z } from "zod";
import { bootstrapInterval, mean } from "./bootstrap.ts";
import { figure, HEADINGS, intervalText, percent } from "./cells.ts";
import type { Estimated } from "./paired.ts";

const score = z.number().nullable();

/** A clip's scores as a line of `eve evaluate world --json` holds them. */
export const ScoredClip = z.looseObject({
  type: z.literal("clip-scored"),
  method: z.string(),
  task: z.string(),
  index: z.int(),
  success: z.boolean(),
  steady: z.boolean().nullable(),
  edited: z.boolean(),
  kept: z.boolean(),
  flicker: score,
  psnr: z.number(),
  psnrChanged: score,
  psnrKept: score,
});
export type ScoredClip = z.infer<typeof ScoredClip>;

/** What is averaged. */
type Figure = Exclude<keyof typeof ScoredClip.shape, "type" | "method" | "task" | "index">;

/** One row of the table: an ablation, over all of its runs, with one kind of noise. */
export interface AblationRow {
  readonly name: string;
  readonly title: string;
  readonly noise: "independent" | "shared";
  /** Runs, each of another seed. */
  readonly runs: number;
  readonly clips: number;
  /** Means over runs and clips; the intervals are over clips, each the mean of its runs. */
  readonly figures: Readonly<Record<Figure, Estimated>>;
  /** Steady share of each run: how much the seed decides. */
  readonly steadyByRun: readonly (number | null)[];
}

/** The rows of one ablation from the scored clips of each of its runs. */
export function ablationRows(
  { name, title }: Pick<AblationRow, "name" | "title">,
  runs: readonly (readonly ScoredClip[])[],
): AblationRow[] {
  return (["independent", "shared"] as const).flatMap((noise) => {
    const drawn = runs.map((clips) =>
      clips.filter(({ method }) => method.endsWith("-shared") === (noise === "shared")),
    );
    const clips = Map.groupBy(drawn.flat(), ({ task, index }) => `${task} ${index}`);
    if (clips.size === 0) return [];
    const estimate = (of: Figure): Estimated => {
      const values = [...clips.values()]
        .map((same) => mean(valuesOf(same, of)))
        .filter((value) => value !== null);
      return { mean: mean(values), interval: bootstrapInterval(values) };
    };
    const figures = {
      success: estimate("success"),
      steady: estimate("steady"),
      edited: estimate("edited"),
      kept: estimate("kept"),
      flicker: estimate("flicker"),
      psnr: estimate("psnr"),
      psnrChanged: estimate("psnrChanged"),
      psnrKept: estimate("psnrKept"),
    };
    return [
      {
        name,
        title,
        noise,
        runs: runs.length,
        clips: clips.size,
        figures,
        steadyByRun: drawn.map((run) => mean(valuesOf(run, "steady"))),
      },
    ];
  });
}

function valuesOf(clips: readonly ScoredClip[], of: Figure): number[] {
  return clips.flatMap((clip) => (clip[of] === null ? [] : [Number(clip[of])]));
}

/** The rows as cells under headings. */
export function ablationTable(rows: readonly AblationRow[]): string[][] {
  return [
    ["ablation", "noise", "runs", "clips", ...HEADINGS],
    ...rows.map(({ title, noise, runs, clips, figures }) => [
      title,
      noise,
      String(runs),
      String(clips),
      ...withInterval(figures.success),
      ...withInterval(figures.steady),
      percent(figures.edited.mean),
      percent(figures.kept.mean),
      figure(figures.flicker.mean, 100),
      ...[figures.psnr, figures.psnrChanged, figures.psnrKept].map((own) => figure(own.mean)),
    ]),
  ];
}

function withInterval({ mean: share, interval }: Estimated): string[] {
  return [percent(share), intervalText(interval, percent)];
}
