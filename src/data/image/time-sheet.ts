import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { ShapeError } from "../../engine/errors.ts";
import type { SheetRow } from "./contact-sheet.ts";
import { imageData } from "./png.ts";
import type { RgbImage } from "./rgb-image.ts";
import { brokenLines, drawnSheet, GAP, LINE_HEIGHT, styleText } from "./sheet.ts";

/** One clip in several versions: rows below each other, so that a column is one moment. */
export interface TimeBlock {
  readonly title: string;
  /** What stands above the columns, e.g. `frame 4`. */
  readonly columns: readonly string[];
  readonly rows: readonly SheetRow[];
}

/** Width of the labels at the left, in pixels. */
const LABELS = 104;
/** Space between blocks, in pixels. */
const BETWEEN = 14;

/**
 * Lays clips over time on one white sheet: a title, a line of column heads, and rows with their labels at the left.
 *
 * All pictures of a block have one size. Throws a ShapeError for rows of other lengths than the heads.
 */
export function timeSheet(blocks: readonly TimeBlock[]): RgbImage {
  const first = blocks[0]?.rows[0]?.images[0];
  if (!first) throw new ShapeError("A sheet over time needs at least one picture.");
  for (const block of blocks) requireColumns(block);
  const columns = Math.max(...blocks.map((block) => block.columns.length));
  const width = LABELS + columns * (first.width + GAP) + GAP;
  const measure = createCanvas(1, 1).getContext("2d");
  styleTitle(measure);
  const titles = blocks.map(({ title }) => brokenLines(measure, title, width - 2 * GAP));
  const heights = blocks.map((block, index) => blockHeight(block, titles[index]!.length));
  const height = heights.reduce((sum, own) => sum + own, 0) + (blocks.length - 1) * BETWEEN + GAP;
  return drawnSheet(width, height, (context) => {
    let top = GAP;
    blocks.forEach((block, index) => {
      drawBlock(context, block, titles[index]!, top);
      top += heights[index]! + BETWEEN;
    });
  });
}

function requireColumns({ title, columns, rows }: TimeBlock): void {
  const wrong = rows.find(({ images }) => images.length !== columns.length);
  if (!wrong) return;
  throw new ShapeError(
    `"${title}": expected ${columns.length} pictures in the row ${wrong.label}, got ${wrong.images.length}`,
  );
}

function rowHeight({ images }: SheetRow): number {
  return Math.max(LINE_HEIGHT, ...images.map(({ height }) => height)) + GAP;
}

function blockHeight({ rows }: TimeBlock, titleLines: number): number {
  return rows.reduce((sum, row) => sum + rowHeight(row), (titleLines + 1) * LINE_HEIGHT);
}

function styleTitle(context: SKRSContext2D): void {
  styleText(context);
  context.font = "bold 14px sans-serif";
}

function drawBlock(
  context: SKRSContext2D,
  { columns, rows }: TimeBlock,
  title: readonly string[],
  top: number,
): void {
  styleTitle(context);
  title.forEach((line, index) => context.fillText(line, GAP, top + index * LINE_HEIGHT));
  styleText(context);
  const step = (rows[0]?.images[0]?.width ?? 0) + GAP;
  const heads = top + title.length * LINE_HEIGHT;
  columns.forEach((head, column) => context.fillText(head, LABELS + column * step, heads));
  let y = heads + LINE_HEIGHT;
  for (const row of rows) {
    const lines = brokenLines(context, row.label, LABELS - 2 * GAP);
    lines.forEach((line, index) => context.fillText(line, GAP, y + index * LINE_HEIGHT));
    row.images.forEach((image, column) =>
      context.putImageData(imageData(image), LABELS + column * step, y),
    );
    y += rowHeight(row);
  }
}
