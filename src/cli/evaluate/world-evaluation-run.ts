import { possibleMethods } from "../../evaluation/methods/asked-methods.ts";
import type { EvaluatedModel } from "../../evaluation/methods/evaluated-model.ts";
import type { MethodName } from "../../evaluation/methods/method-names.ts";
import { METHODS } from "../../evaluation/methods/methods.ts";
import type { EvaluationOptions } from "../../evaluation/methods/options.ts";
import type { ClipsContext } from "../../evaluation/world/clips.ts";
import { ContactSheets } from "../../evaluation/world/sheets.ts";
import type { FrameScored } from "../../evaluation/world/single-frames.ts";
import { reportTables } from "../../evaluation/world/tables.ts";
import type { ClipScored } from "../../evaluation/world/test-clip.ts";
import {
  evaluateWorld,
  evaluationCost,
  type Measurement,
  type WorldReport,
} from "../../evaluation/world/world-evaluation.ts";
import { table, type Reporter } from "../output.ts";
import { evaluationProgress } from "./evaluation-progress.ts";

/** Who watches a run, and where its pictures go. */
export interface EvaluationRun {
  readonly report: Reporter;
  readonly signal: AbortSignal;
  /** Folder for contact sheets; none are written without one. */
  readonly sheets?: string | undefined;
  /** What scores the clips; default: this process. */
  readonly scorers?: ClipsContext["scorers"];
}

/** Evaluates a model and prints how far it is, each clip, and at the end the result. */
export async function runEvaluation(
  model: EvaluatedModel,
  options: EvaluationOptions,
  wanted: readonly Measurement[],
  { report, signal, sheets: folder, scorers }: EvaluationRun,
): Promise<void> {
  const total = evaluationCost(model, options, wanted);
  const onWork = evaluationProgress(report, { total, steps: options.draw.steps });
  const sheets = new ContactSheets(shownMethods(model, options), model.size);
  const onClip = (clip: ClipScored): void => {
    if (folder !== undefined) sheets.add(clip);
    const { task, index, method, instruction, scores } = clip;
    report.event({ type: "clip-scored", task, index, method, instruction, ...scores });
  };
  const onFrame = ({ task, index, frame, instruction, scores }: FrameScored): void => {
    const edited = { task, index, frame, method: "edit-adapter", instruction };
    report.event({ type: "picture-scored", ...edited, ...scores });
  };
  const watching = { signal, onWork, onClip, onFrame, scorers };
  const result = await evaluateWorld(model, options, wanted, watching);
  const paths = folder === undefined ? [] : await sheets.write(folder);
  for (const path of paths) report.event({ type: "sheet-written", path }, path);
  for (const note of result.notes) report.warn(note);
  report.event({ type: "world-evaluation", ...result }, reportText(result));
}

/** The methods on the sheets: of each that draws the first kind of noise asked for, or whatever there is. */
function shownMethods(model: EvaluatedModel, options: EvaluationOptions): MethodName[] {
  const possible = possibleMethods(model, options);
  const noise = possible.map((name) => METHODS[name].noise).find((mode) => mode !== null);
  if (noise === undefined) return possible.slice(0, 1);
  return possible.filter((name) => METHODS[name].noise === noise);
}

/** The tables of a report as text. */
export function reportText(result: WorldReport): string {
  return reportTables(result)
    .map(({ title, rows }) => `${title}\n${table(rows)}`)
    .join("\n\n");
}
