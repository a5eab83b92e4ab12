import { timeSheet } from "../../data/image/time-sheet.ts";
import { writePicture } from "../../data/image/write-picture.ts";
import type { EvaluatedModel } from "../../evaluation/methods/evaluated-model.ts";
import {
  clipSheet,
  clipSheetCost,
  type ClipSheetOptions,
} from "../../evaluation/world/clip-sheet.ts";
import { leftOut } from "../../evaluation/world/world-evaluation.ts";
import type { Reporter } from "../output.ts";
import { evaluationProgress } from "./evaluation-progress.ts";

/** Who watches, and where the picture goes. */
interface ClipSheetRun {
  readonly report: Reporter;
  readonly signal: AbortSignal;
  readonly out: string;
}

/** Edits the clips of a sheet and writes it. */
export async function runClipSheet(
  model: EvaluatedModel,
  options: ClipSheetOptions,
  { report, signal, out }: ClipSheetRun,
): Promise<void> {
  const total = clipSheetCost(model, options);
  const onWork = evaluationProgress(report, { total, steps: options.draw.steps });
  const blocks = await clipSheet(model, options, { signal, onWork });
  await writePicture(out, timeSheet(blocks));
  for (const note of leftOut(model, options, ["clips"])) report.warn(note);
  report.event({ type: "sheet-written", path: out }, out);
}
