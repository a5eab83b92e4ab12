import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { withoutAlpha, type RgbImage } from "./rgb-image.ts";

/** Space between pictures of a sheet, in pixels. */
export const GAP = 4;
/** Height of a line of text, in pixels. */
export const LINE_HEIGHT = 18;

/** A white sheet with what `draw` puts on it. */
export function drawnSheet(
  width: number,
  height: number,
  draw: (context: SKRSContext2D) => void,
): RgbImage {
  const context = createCanvas(width, height).getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  draw(context);
  return { rgb: withoutAlpha(context.getImageData(0, 0, width, height).data), width, height };
}

/** Sets how a sheet's text looks; its y is the line's top. */
export function styleText(context: SKRSContext2D): void {
  context.font = "13px sans-serif";
  context.textBaseline = "top";
  context.fillStyle = "#202020";
}

/** Breaks text between words so that no line is wider than `width` pixels; no text gives no line. */
export function brokenLines(context: SKRSContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}
