import { join } from "node:path";
import { writeContactSheet, type SheetRow } from "../../data/image/contact-sheet.ts";
import {
  evaluateCombination,
  COMBINATION_METHODS,
  type CombinedModel,
  type CombinationOptions,
  type CombinationScored,
} from "../../evaluation/world/combination.ts";
import { summaryTable } from "../../evaluation/world/tables.ts";
import { table, type Reporter } from "../output.ts";

/** Who watches, and where the sheet goes. */
interface CombinationRun {
  readonly report: Reporter;
  readonly signal: AbortSignal;
  /** Folder for the contact sheet; none is written without one. */
  readonly sheets?: string | undefined;
}

/** Pictures on the sheet. */
const SHOWN = 8;

/** Evaluates editing with a look of its own, and prints each picture and the result. */
export async function runCombinationEvaluation(
  model: CombinedModel,
  options: CombinationOptions,
  { report, signal, sheets }: CombinationRun,
): Promise<void> {
  const pictures: CombinationScored[] = [];
  const methods = await evaluateCombination(model, options, {
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
    const path = join(sheets, `${options.type}-combination.png`);
    await writeContactSheet(path, rowsOf(pictures, model.size));
    report.event({ type: "sheet-written", path }, path);
  }
  const rows = Object.entries(methods).map(([name, summary]) => ({ name, summary }));
  const { name, hash, looks } = model;
  report.event(
    {
      ...options,
      type: "combination-evaluation",
      model: { name, hash },
      look: `${options.type}:${looks[options.type]?.look}`,
      methods,
    },
    table(summaryTable(rows)),
  );
}

/** One row of inputs, one of truths, and one of each method. */
function rowsOf(pictures: readonly CombinationScored[], size: number): SheetRow[] {
  const imagesOf = (
    method: CombinationScored["method"],
    of: "input" | "truth" | "output",
  ): SheetRow["images"] =>
    pictures
      .filter((picture) => picture.method === method)
      .map((picture) => ({ rgb: picture[of], width: size, height: size }));
  const [first] = pictures;
  if (!first) return [];
  const wishes = pictures.filter(({ method }) => method === first.method);
  const label = wishes.map(({ instruction }) => `"${instruction}"`).join(" · ");
  return [
    { label: `input: ${label}`, images: imagesOf(first.method, "input") },
    { label: "truth", images: imagesOf(first.method, "truth") },
    ...COMBINATION_METHODS.map((method) => ({ label: method, images: imagesOf(method, "output") })),
  ].filter(({ images }) => images.length > 0);
}
