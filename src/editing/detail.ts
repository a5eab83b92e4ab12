import { unfitFrame } from "../data/video/fit.ts";

/** A frame at its own size, and what the model made of it at its square size. */
export interface EditedSquare {
  /** The frame itself, packed RGB, `height × width × 3`. */
  readonly source: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Side of the model's square, in pixels. */
  readonly size: number;
  /** The fitted frame after the autoencoder alone: what the model can carry of it. */
  readonly reconstruction: Uint8Array;
  /** The fitted frame after the edit. */
  readonly edited: Uint8Array;
}

/** Frames at their own sizes, with what the model made of them. */
export interface EditedGroup {
  readonly sources: readonly Pick<EditedSquare, "source" | "width" | "height">[];
  readonly size: number;
  readonly reconstructions: readonly Uint8Array[];
  readonly edited: readonly Uint8Array[];
}

/** `keepDetail` for frames that were edited together. */
export function keepDetails({ sources, size, reconstructions, edited }: EditedGroup): Uint8Array[] {
  return sources.map((frame, index) =>
    keepDetail({
      ...frame,
      size,
      edited: edited[index]!,
      reconstruction: reconstructions[index]!,
    }),
  );
}

/** Differences of edited and reconstruction, 0–255, that count as none and as a change. */
const unchangedBelow = 20;
const changedAbove = 50;
/** How far a change reaches beyond its own pixels, in the model's pixels. */
const reach = 2;

/**
 * The edit at the frame's own size, with the detail that the model cannot carry given back.
 *
 * `up(edited) + (1 − m)·(source − up(reconstruction))`, where the mask m is 1 in places that the
 * edit changed and 0 in those it left alone: there the source stays, but for the small change asked.
 */
export function keepDetail(frame: EditedSquare): Uint8Array {
  const { source, width, height, size, reconstruction, edited } = frame;
  const mask = unfitFrame(changeMask(edited, reconstruction, size), size, width, height);
  const base = unfitFrame(edited, size, width, height);
  const carried = unfitFrame(reconstruction, size, width, height);
  const result = new Uint8Array(source.length);
  for (let at = 0; at < result.length; at++) {
    const detail = source[at]! - carried[at]!;
    const value = base[at]! + (detail * (255 - mask[at]!)) / 255;
    result[at] = Math.min(255, Math.max(0, Math.round(value)));
  }
  return result;
}

/** How much each pixel changed, 0–255 in all three channels, spread and smoothed at its edges. */
export function changeMask(
  edited: Uint8Array,
  reconstruction: Uint8Array,
  size: number,
): Uint8Array {
  const change = new Float32Array(size * size);
  for (let pixel = 0; pixel < change.length; pixel++) {
    let largest = 0;
    for (let at = pixel * 3; at < pixel * 3 + 3; at++) {
      largest = Math.max(largest, Math.abs(edited[at]! - reconstruction[at]!));
    }
    change[pixel] = smoothStep((largest - unchangedBelow) / (changedAbove - unchangedBelow));
  }
  const spread = filtered(change, size, (values) => Math.max(...values));
  const smooth = filtered(spread, size, mean);
  return Uint8Array.from({ length: size * size * 3 }, (_, at) =>
    Math.round(255 * smooth[Math.floor(at / 3)]!),
  );
}

function smoothStep(value: number): number {
  const within = Math.min(1, Math.max(0, value));
  return within * within * (3 - 2 * within);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

type Line = readonly number[];

/** A separable filter over the `2·reach + 1` neighbours along rows, then along columns. */
function filtered(values: Float32Array, size: number, of: (line: Line) => number): Float32Array {
  const pass = (from: Float32Array, stride: number): Float32Array =>
    from.map((_, pixel) => {
      const place = Math.floor(pixel / stride) % size;
      const first = Math.max(-place, -reach);
      const last = Math.min(size - 1 - place, reach);
      const line: number[] = [];
      for (let offset = first; offset <= last; offset++) line.push(from[pixel + offset * stride]!);
      return of(line);
    });
  return pass(pass(values, 1), size);
}
