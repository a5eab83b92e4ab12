import {
  addDetail,
  byteDifference,
  bytesOf,
  byteTensor,
  freeBytes,
  largestByte,
} from "../../data/byte-pictures.ts";
import { bytesToPixels, toPackedBytes } from "../../data/pixels.ts";
import { fitFrame, unfitFrame } from "../../data/video/fit.ts";
import { defaultDevice } from "../../engine/device.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Pixels, Tensor } from "../../engine/tensor.ts";
import type { RestoreDetail } from "../../models/detail/detail-gates.ts";
import { changeMask, REDRAWN_ABOVE, UNCHANGED_BELOW } from "./change-mask.ts";

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

/**
 * Differences of edited and reconstruction, 0–255, from which on they count as a whole change for detail finer than the
 * model's pixels: a trunk in the place of which the sky now shows should leave no outline there.
 */
const changedAbove = 50;

/**
 * The edit at the frame's own size, with the detail that the model cannot carry given back: first, in the model's square, what
 * its autoencoder has lost, `square = edited + (1 − m₁)·(fitted − reconstruction)`, then what is finer than its pixels,
 * `up(square) + (1 − m₂)·(source − up(fitted))`.
 *
 * Where the model has learned gates, `restore` makes the square in place of the first mask, and the second is of what the square
 * still changes.
 *
 * The masks are 1 in places that the edit changed and 0 in those it left alone: there the source stays, but for the
 * small change asked. A frame of the model's own size has nothing finer, and where nothing changed both are one.
 */
export function keepDetail(frame: EditedSquare, restore?: RestoreDetail): Uint8Array {
  using _ = tensorScope();
  const { source, width, height, size, reconstruction, edited } = frame;
  const unchanged = restore ? 0 : UNCHANGED_BELOW;
  if (largestByte(byteDifference(edited, reconstruction)) <= unchanged) {
    const [base, carried] = [edited, reconstruction].map((square) => unfitted(square, frame));
    return withDetail({ base: base!, source, carried: carried! }, width);
  }
  const fitted = fitFrame(source, width, height, size);
  const { square, after, before } = restore
    ? restoredSquare(frame, fitted, restore)
    : squareByMask(frame, fitted);
  if (fitted === source) return square;
  const finer = {
    base: unfitted(byteTensor(square), frame),
    source,
    carried: unfitted(byteTensor(fitted), frame),
  };
  const squareMask = changeMask(after, before, size, changedAbove);
  const result = withDetail(finer, width, unfitFrame(squareMask, size, width, height));
  for (const used of [after, before, square, fitted, squareMask]) freeBytes(used);
  return result;
}

/** The edit in the model's square with what its autoencoder has lost. */
interface KeptSquare {
  readonly square: Uint8Array;
  /** Two squares that differ where the edit changed something. */
  readonly after: Uint8Array;
  readonly before: Uint8Array;
}

function squareByMask(
  { size, edited, reconstruction }: EditedSquare,
  fitted: Uint8Array,
): KeptSquare {
  const [after, before] = [bytesOf(edited), bytesOf(reconstruction)];
  const lost = { base: edited, source: fitted, carried: reconstruction };
  const square = withDetail(lost, size, changeMask(after, before, size, REDRAWN_ABOVE));
  return { square, after, before };
}

function restoredSquare(
  { size, edited, reconstruction }: EditedSquare,
  fitted: Uint8Array,
  restore: RestoreDetail,
): KeptSquare {
  const pixels = (bytes: Tensor): Pixels<"1 3 h w"> =>
    bytesToPixels(bytes.reshape([1, size, size, 3]).toDevice(defaultDevice()));
  const kept = restore({
    source: pixels(byteTensor(fitted)),
    reconstruction: pixels(reconstruction),
    edited: pixels(edited),
  });
  const square = bytesOf(toPackedBytes(kept));
  return { square, after: square, before: fitted };
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
