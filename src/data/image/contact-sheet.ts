import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { ShapeError } from "../../engine/errors.ts";
import { imageData, writePng } from "./png.ts";
import type { RgbImage } from "./rgb-image.ts";
import { brokenLines, drawnSheet, GAP, LINE_HEIGHT, styleText } from "./sheet.ts";

/** One line of a contact sheet: pictures side by side under their label. */
export interface SheetRow {
  readonly label: string;
  readonly images: readonly RgbImage[];
}

/**
 * Lays rows of pictures out on one white sheet, each row under its label.
 *
 * Pictures keep their own size; a label too long for the sheet is broken into lines.
 */
export function contactSheet(rows: readonly SheetRow[]): RgbImage {
  if (rows.length === 0) throw new ShapeError("A contact sheet needs at least one row.");
  const width = Math.max(160, ...rows.map(({ images }) => rowWidth(images)));
  const measure = createCanvas(1, 1).getContext("2d");
  styleText(measure);
  const lines = rows.map(({ label }) => brokenLines(measure, label, width - 2 * GAP));
  const heights = rows.map(({ images }, index) => rowHeight(images, lines[index]!.length));
  const height = heights.reduce((total, own) => total + own, GAP);
  return drawnSheet(width, height, (context) => {
    styleText(context);
    let top = GAP;
    rows.forEach(({ images }, index) => {
      drawRow(context, lines[index]!, images, top);
      top += heights[index]!;
    });
  });
}

/** Writes a contact sheet as a PNG, atomically. */
export async function writeContactSheet(path: string, rows: readonly SheetRow[]): Promise<void> {
  const { rgb, width, height } = contactSheet(rows);
  await writePng(path, rgb, width, height);
}

function rowWidth(images: readonly RgbImage[]): number {
  return images.reduce((total, image) => total + image.width + GAP, GAP);
}

function rowHeight(images: readonly RgbImage[], lineCount: number): number {
  return lineCount * LINE_HEIGHT + Math.max(0, ...images.map(({ height }) => height)) + GAP;
}

function drawRow(
  context: SKRSContext2D,
  lines: readonly string[],
  images: readonly RgbImage[],
  top: number,
): void {
  lines.forEach((line, index) => context.fillText(line, GAP, top + index * LINE_HEIGHT));
  let left = GAP;
  for (const image of images) {
    context.putImageData(imageData(image), left, top + lines.length * LINE_HEIGHT);
    left += image.width + GAP;
  }
}
