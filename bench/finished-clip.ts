import type { Drawn, Finishing } from "../src/editing/finishing/finishing.ts";
import { fittedSquare, type SourceFrame } from "../src/editing/finishing/square.ts";
import type { EvaluatedModel } from "../src/evaluation/methods/evaluated-model.ts";
import { clipScores, type ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { mean } from "../src/evaluation/statistics/bootstrap.ts";
import type { Figure } from "../src/evaluation/statistics/summary.ts";
import type { TestClip } from "../src/evaluation/world/test-clip.ts";

/** The scores of a clip whose drawn pictures are finished so. */
export function finishedScores(
  { size, window }: EvaluatedModel,
  { inputFrames: input, truthFrames: truth, reconstruction }: TestClip,
  drawn: readonly Drawn[],
  finishing: Finishing<SourceFrame>,
): ClipScores {
  const sources = input.map((rgb) => ({ rgb, width: size, height: size }));
  const squares = sources.map((frame, index) =>
    finishing.square(fittedSquare(frame, size), drawn[index]!),
  );
  const finished = [...finishing.next(sources, squares), ...finishing.rest()];
  const output = finished.map(({ finish }) => finish());
  return clipScores({ input, truth, output }, { size, window, reconstruction });
}

/** What the cells of `scoreCells` are; flicker is × 100. */
export const SCORE_HEADINGS = ["success %", "steady %", "flicker", "PSNR", "changed", "kept"];

/** The means over clips. */
export function scoreCells(clips: readonly ClipScores[]): string[] {
  const over = (of: Figure): number =>
    mean(clips.flatMap(({ [of]: value }) => (value === null ? [] : [Number(value)]))) ?? 0;
  const shares = (["success", "steady"] as const).map((of) => (100 * over(of)).toFixed(1));
  const decibels = (["psnr", "psnrChanged", "psnrKept"] as const).map((of) => over(of).toFixed(2));
  return [...shares, (100 * over("flicker")).toFixed(3), ...decibels];
}

/** A line of a table: its name, filled up to `width`, and its cells. */
export function line(name: string, cells: readonly string[], width: number): string {
  return [name.padEnd(width), ...cells.map((cell) => cell.padStart(10))].join("");
}
