import { TASKS, type Task } from "../../data/world/tasks.ts";
import type { ClipScores } from "../scores/clip-scores.ts";
import { bootstrapInterval, type Interval, mean } from "./bootstrap.ts";

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
  const values = (of: Figure): number[] =>
    scores.flatMap((clip) => (clip[of] === null ? [] : [Number(clip[of])]));
  const figures = <Value>(from: (values: readonly number[]) => Value): Record<Figure, Value> => ({
    success: from(values("success")),
    edited: from(values("edited")),
    kept: from(values("kept")),
    steady: from(values("steady")),
    flicker: from(values("flicker")),
    psnr: from(values("psnr")),
    psnrChanged: from(values("psnrChanged")),
    psnrKept: from(values("psnrKept")),
  });
  return { clips: scores.length, ...figures(mean), intervals: figures(bootstrapInterval) };
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
