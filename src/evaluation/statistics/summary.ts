import { TASKS, type Task } from "../../data/world/tasks.ts";
import type { ClipScores } from "../scores/clip-scores.ts";
import { estimated, type Interval } from "./bootstrap.ts";

/** What many scores come to. Shares are in [0, 1], PSNR in dB; null where no clip has the figure. */
export interface Summary {
  readonly clips: number;
  readonly success: number | null;
  readonly edited: number | null;
  readonly kept: number | null;
  /** Share of clips that succeed throughout and do not flicker. */
  readonly steady: number | null;
  readonly flicker: number | null;
  readonly psnr: number | null;
  readonly psnrChanged: number | null;
  readonly psnrKept: number | null;
  /** 95 % intervals over clips. */
  readonly intervals: Readonly<Record<Figure, Interval | null>>;
}

/** The figures of a summary: each a mean over the clips that have it. */
export type Figure =
  | "success"
  | "edited"
  | "kept"
  | "steady"
  | "flicker"
  | "psnr"
  | "psnrChanged"
  | "psnrKept";

const SHARES: ReadonlySet<Figure> = new Set(["success", "edited", "kept", "steady"]);

/** What a clip's figure can be; undefined where nothing bounds it. */
export function rangeOf(figure: Figure): Interval | undefined {
  return SHARES.has(figure) ? [0, 1] : undefined;
}

/** What the difference of a figure of two clips can be; undefined where nothing bounds it. */
export function differenceRangeOf(figure: Figure): Interval | undefined {
  return SHARES.has(figure) ? [-1, 1] : undefined;
}

/** A summary, and one for each task that was measured. */
export interface TaskSummary extends Summary {
  readonly tasks: Readonly<Partial<Record<Task, Summary>>>;
}

/** One scored clip of a task. */
export interface TaskScores {
  readonly task: Task;
  readonly scores: ClipScores;
}

/** Means over clips, each with the same weight. Their number of each task is fixed, which intervals go by. */
export function summarize(clips: readonly TaskScores[]): Summary {
  const strata = clips.map(({ task }) => task);
  const figures = byFigure((of) =>
    estimated(
      clips.map(({ scores: { [of]: value } }) => (value === null ? null : Number(value))),
      { strata, range: rangeOf(of) },
    ),
  );
  return {
    clips: clips.length,
    ...byFigure((of) => figures[of].mean),
    intervals: byFigure((of) => figures[of].interval),
  };
}

/** Something of every figure. */
export function byFigure<Value>(of: (figure: Figure) => Value): Record<Figure, Value> {
  return {
    success: of("success"),
    edited: of("edited"),
    kept: of("kept"),
    steady: of("steady"),
    flicker: of("flicker"),
    psnr: of("psnr"),
    psnrChanged: of("psnrChanged"),
    psnrKept: of("psnrKept"),
  };
}

/** Summarizes over all clips and by task. */
export function summarizeTasks(clips: readonly TaskScores[]): TaskSummary {
  const tasks: Partial<Record<Task, Summary>> = {};
  for (const task of TASKS) {
    const own = clips.filter((clip) => clip.task === task);
    if (own.length > 0) tasks[task] = summarize(own);
  }
  return { ...summarize(clips), tasks };
}
