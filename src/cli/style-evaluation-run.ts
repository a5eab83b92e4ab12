import { join } from "node:path";
import { writeContactSheet, type SheetRow } from "../data/image/contact-sheet.ts";
import {
  evaluateStyled,
  STYLED_METHODS,
  type StyledModel,
  type StyledOptions,
  type StyledScored,
} from "../evaluation/style-combination.ts";
import { summaryTable } from "../evaluation/tables.ts";
import { table, type Reporter } from "./output.ts";

/** Who watches, and where the sheet goes. */
interface StyleRun {
  readonly report: Reporter;
  readonly signal: AbortSignal;
  /** Folder for the contact sheet; none is written without one. */
  readonly sheets?: string | undefined;
}

/** Pictures on the sheet. */
const SHOWN = 8;

/** Evaluates editing in a held-out style, and prints each picture and the result. */
export async function runStyleEvaluation(
  model: StyledModel,
  options: StyledOptions,
  { report, signal, sheets }: StyleRun,
): Promise<void> {
  const pictures: StyledScored[] = [];
  const methods = await evaluateStyled(model, options, {
    signal,
    onWork: ({ phase, detail, step }) =>
      report.progress({ type: "progress", phase, detail, step, steps: options.steps }),
    onPicture: (picture) => {
      if (picture.index < SHOWN) pictures.push(picture);
      const { task, index, method, instruction, scores } = picture;
      report.event({ type: "picture-scored", task, index, method, instruction, ...scores });
    },
  });
  if (sheets !== undefined) {
    const path = join(sheets, "combination.png");
    await writeContactSheet(path, rowsOf(pictures, model.size));
    report.event({ type: "sheet-written", path }, path);
  }
  const rows = Object.entries(methods).map(([name, summary]) => ({ name, summary }));
  const { name, hash, styled } = model;
  report.event(
    { type: "style-evaluation", model: { name, hash }, style: styled?.style, ...options, methods },
    table(summaryTable(rows)),
  );
}

/** One row of inputs, one of truths, and one of each method. */
function rowsOf(pictures: readonly StyledScored[], size: number): SheetRow[] {
  const imagesOf = (
    method: StyledScored["method"],
    of: "input" | "truth" | "output",
  ): SheetRow["images"] =>
    pictures
      .filter((picture) => picture.method === method)
      .map((picture) => ({ rgb: picture[of], width: size, height: size }));
  const wishes = pictures.filter(({ method }) => method === "stacked");
  const label = wishes.map(({ instruction }) => `"${instruction}"`).join(" · ");
  return [
    { label: `input: ${label}`, images: imagesOf("stacked", "input") },
    { label: "truth", images: imagesOf("stacked", "truth") },
    ...STYLED_METHODS.map((method) => ({ label: method, images: imagesOf(method, "output") })),
  ].filter(({ images }) => images.length > 0);
}
