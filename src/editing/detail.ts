import {
  addDetail,
  byteDifference,
  bytesOf,
  byteTensor,
  freeBytes,
  largestByte,
} from "../data/byte-pictures.ts";
import { fitFrame, unfitFrame } from "../data/video/fit.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Tensor } from "../engine/tensor.ts";

/** A frame at its own size, and what the model made of it at its square size. */
export interface EditedSquare {
  /** The frame itself, packed RGB, `height × width × 3`. */
  readonly source: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Side of the model's square, in pixels. */
  readonly size: number;
  /** The fitted frame after the autoencoder alone: what the model can carry of it; uint8 `[size · size · 3]`. */
  readonly reconstruction: Tensor;
  /** The fitted frame after the edit, in the same form. */
  readonly edited: Tensor;
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
  return sources.map((frame, index) => {
    using _ = tensorScope();
    return keepDetail({
      ...frame,
      size,
      edited: byteTensor(edited[index]!),
      reconstruction: byteTensor(reconstructions[index]!),
    });
  });
}

/** Differences of edited and reconstruction, 0–255, that count as none. */
const unchangedBelow = 20;
/** From here on they count as a whole change for detail of the model's own size, which its autoencoder has lost. */
const redrawnAbove = 120;
/** And from here on for finer detail: a trunk in the place of which the sky now shows should leave no outline there. */
const changedAbove = 50;
/** How far a change reaches beyond its own pixels, in the model's pixels; the filters below are written for it. */
const reach = 2;

/**
 * The edit at the frame's own size, with the detail that the model cannot carry given back: first, in the model's square, what
 * its autoencoder has lost, `square = edited + (1 − m₁)·(fitted − reconstruction)`, then what is finer than its pixels,
 * `up(square) + (1 − m₂)·(source − up(fitted))`.
 *
 * The masks are 1 in places that the edit changed and 0 in those it left alone: there the source stays, but for the
 * small change asked. A frame of the model's own size has nothing finer, and where nothing changed both are one.
 */
export function keepDetail(frame: EditedSquare): Uint8Array {
  using _ = tensorScope();
  const { source, width, height, size, reconstruction, edited } = frame;
  if (largestByte(byteDifference(edited, reconstruction)) <= unchangedBelow) {
    const [base, carried] = [edited, reconstruction].map((square) => unfitted(square, frame));
    return withDetail({ base: base!, source, carried: carried! }, width);
  }
  const maskOf = (changed: number): Uint8Array =>
    changeMask(bytesOf(edited), bytesOf(reconstruction), size, changed);
  const fitted = fitFrame(source, width, height, size);
  const lost = { base: edited, source: fitted, carried: reconstruction };
  const square = withDetail(lost, size, maskOf(redrawnAbove));
  if (fitted === source) return square;
  const finer = {
    base: unfitted(byteTensor(square), frame),
    source,
    carried: unfitted(byteTensor(fitted), frame),
  };
  const result = withDetail(finer, width, unfitFrame(maskOf(changedAbove), size, width, height));
  for (const used of [square, fitted]) freeBytes(used);
  return result;
}

/** The frame in a square of bytes at the frame's own size, `[height · width · 3]`. */
export function unfitted(
  square: Tensor,
  { size, width, height }: Pick<EditedSquare, "size" | "width" | "height">,
): Tensor {
  if (width === size && height === size) return square;
  const bytes = bytesOf(square);
  const picture = unfitFrame(bytes, size, width, height);
  const tensor = byteTensor(picture);
  for (const copied of [bytes, picture]) freeBytes(copied);
  return tensor;
}

/** A picture, and detail for it: what `source` has over what is `carried` of it. */
interface Detailed {
  readonly base: Tensor;
  readonly source: Uint8Array;
  readonly carried: Tensor;
}

/** `base + (1 − mask)·(source − carried)`, rows of `width` pixels; without a mask all of the detail. The mask's bytes are freed. */
function withDetail(
  { base, source, carried }: Detailed,
  width: number,
  mask?: Uint8Array,
): Uint8Array {
  const result = bytesOf(addDetail(base, byteTensor(source), carried));
  if (!mask) return result;
  const [plain, lost] = [bytesOf(base), bytesOf(carried)];
  const unchanged = new Uint8Array(width * 3);
  for (let from = 0; from < result.length; from += unchanged.length) {
    const to = from + unchanged.length;
    if (Buffer.compare(mask.subarray(from, to), unchanged) === 0) continue;
    for (let at = from; at < to; at++) {
      const value = plain[at]! + part(source[at]! - lost[at]!, 255 - mask[at]!);
      result[at] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
  for (const used of [plain, lost, mask]) freeBytes(used);
  return result;
}

/** `detail · share / 255`, rounded, for a share of 0–255; in whole numbers, which no half can come between. */
function part(detail: number, share: number): number {
  return (((2 * detail * share + 255 + 510 * 256) / 510) | 0) - 256;
}

/** How much each difference of 0–255 counts as a change, from 0 to 1 where it is `changed`. */
function changes(changed: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, difference) =>
    smoothStep((difference - unchangedBelow) / (changed - unchangedBelow)),
  );
}

function smoothStep(value: number): number {
  const within = Math.min(1, Math.max(0, value));
  return within * within * (3 - 2 * within);
}

/**
 * How much each pixel changed, 0–255 in all three channels, spread and smoothed at its edges; a difference of `changed` is a
 * whole change.
 */
export function changeMask(
  edited: Uint8Array,
  reconstruction: Uint8Array,
  size: number,
  changed: number,
): Uint8Array {
  const mask = new Uint8Array(size * size * 3);
  const { largest, extent } = largestDifferences(edited, reconstruction, size);
  if (!extent) return mask;
  const stride = size + 2 * reach;
  const area = grown(extent, size);
  const changeOf = changes(changed);
  const spread = spreadAlong(spreadAlong(largest, stride, area, 1), stride, area, stride);
  const change = new Float32Array(spread.length);
  for (let at = 0; at < spread.length; at++) change[at] = changeOf[spread[at]!]!;
  const smooth = smoothed(change, size, area);
  for (let row = area.top; row < area.bottom; row++) {
    const line = (row + reach) * stride + reach;
    for (let column = area.left; column < area.right; column++) {
      const value = Math.round(255 * smooth[line + column]!);
      const to = (row * size + column) * 3;
      mask[to] = value;
      mask[to + 1] = value;
      mask[to + 2] = value;
    }
  }
  return mask;
}

/** Part of a square: rows and columns from `top` and `left` to before `bottom` and `right`. */
interface Area {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * The largest difference of each pixel's three channels, with a border of zeros as wide as the filters reach, and the
 * area that changes lie in: most edits leave most of a picture alone.
 */
function largestDifferences(edited: Uint8Array, reconstruction: Uint8Array, size: number) {
  const stride = size + 2 * reach;
  const largest = new Uint8Array(stride * stride);
  let [top, bottom, left, right] = [size, 0, size, 0];
  for (let row = 0, at = 0; row < size; row++) {
    const line = (row + reach) * stride + reach;
    for (let column = 0; column < size; column++, at += 3) {
      const red = Math.abs(edited[at]! - reconstruction[at]!);
      const green = Math.abs(edited[at + 1]! - reconstruction[at + 1]!);
      const blue = Math.abs(edited[at + 2]! - reconstruction[at + 2]!);
      const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
      if (most <= unchangedBelow) continue;
      largest[line + column] = most;
      if (row < top) top = row;
      bottom = row + 1;
      if (column < left) left = column;
      if (column >= right) right = column + 1;
    }
  }
  return { largest, extent: bottom === 0 ? undefined : { top, bottom, left, right } };
}

/** The area and as much around it as two filters reach. */
function grown({ top, bottom, left, right }: Area, size: number): Area {
  return {
    top: Math.max(0, top - 2 * reach),
    bottom: Math.min(size, bottom + 2 * reach),
    left: Math.max(0, left - 2 * reach),
    right: Math.min(size, right + 2 * reach),
  };
}

/** The largest of the `2·reach + 1` neighbours that lie `step` apart. */
function spreadAlong(from: Uint8Array, stride: number, area: Area, step: number): Uint8Array {
  const to = new Uint8Array(from.length);
  for (let row = area.top; row < area.bottom; row++) {
    const line = (row + reach) * stride + reach;
    for (let at = line + area.left; at < line + area.right; at++) {
      const before =
        from[at - 2 * step]! > from[at - step]! ? from[at - 2 * step]! : from[at - step]!;
      const after =
        from[at + 2 * step]! > from[at + step]! ? from[at + 2 * step]! : from[at + step]!;
      const beside = before > after ? before : after;
      to[at] = beside > from[at]! ? beside : from[at]!;
    }
  }
  return to;
}

/** The mean of the `2·reach + 1` neighbours along rows, then along columns; at the edges of as many as there are. */
function smoothed(values: Float32Array, size: number, area: Area): Float32Array {
  const stride = size + 2 * reach;
  const count = Uint8Array.from(
    { length: size },
    (_, place) => 1 + Math.min(place, reach) + Math.min(size - 1 - place, reach),
  );
  const along = (from: Float32Array, step: number): Float32Array => {
    const to = new Float32Array(from.length);
    for (let row = area.top; row < area.bottom; row++) {
      const line = (row + reach) * stride + reach;
      for (let column = area.left; column < area.right; column++) {
        const at = line + column;
        const before = from[at - 2 * step]! + from[at - step]!;
        const sum = before + from[at]! + from[at + step]! + from[at + 2 * step]!;
        to[at] = sum / count[step === 1 ? column : row]!;
      }
    }
    return to;
  };
  return along(along(values, 1), stride);
}
