import { TASKS, type Task } from "../data/world/tasks.ts";
import { bootstrapInterval, type Interval, mean } from "./bootstrap.ts";
import type { ClipScores } from "./clip-scores.ts";

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
  /** 95 % bootstrap intervals over clips. */
  readonly intervals: Readonly<Record<"success" | "steady" | "flicker" | "psnr", Interval | null>>;
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

/** Means over clips, each with the same weight. */
export function summarize(scores: readonly ClipScores[]): Summary {
  const values = (of: (clip: ClipScores) => number | boolean | null): number[] =>
    scores
      .map(of)
      .filter((value) => value !== null)
      .map(Number);
  const success = values((clip) => clip.success);
  const steady = values((clip) => clip.steady);
  const flicker = values((clip) => clip.flicker);
  const ratios = values((clip) => clip.psnr);
  return {
    clips: scores.length,
    success: mean(success),
    edited: mean(values((clip) => clip.edited)),
    kept: mean(values((clip) => clip.kept)),
    steady: mean(steady),
    flicker: mean(flicker),
    psnr: mean(ratios),
    psnrChanged: mean(values((clip) => clip.psnrChanged)),
    psnrKept: mean(values((clip) => clip.psnrKept)),
    intervals: {
      success: bootstrapInterval(success),
      steady: bootstrapInterval(steady),
      flicker: bootstrapInterval(flicker),
      psnr: bootstrapInterval(ratios),
    },
  };
}

/** Summarizes over all clips and by task. */
export function summarizeTasks(clips: readonly TaskScores[]): TaskSummary {
  const tasks: Partial<Record<Task, Summary>> = {};
  for (const task of TASKS) {
    const own = clips.filter((clip) => clip.task === task);
    if (own.length > 0) tasks[task] = summarize(own.map(({ scores }) => scores));
  }
  return { ...summarize(clips.map(({ scores }) => scores)), tasks };
}
