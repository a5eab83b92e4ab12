import {
  addDetail,
  byteDifference,
  bytesOf,
  byteTensor,
  freeBytes,
  largestByte,
} from "../../data/byte-pictures.ts";
import { bytesToPixels, toPackedBytes } from "../../data/pixels.ts";
import { isSquareOf, unfitFrame } from "../../data/video/fit.ts";
import { defaultDevice } from "../../engine/device.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Pixels, Tensor } from "../../engine/tensor.ts";
import type { RestoreDetail } from "../../models/detail/detail-gates.ts";
import { changeMask, REDRAWN_ABOVE, UNCHANGED_BELOW } from "./change-mask.ts";
import type { DrawnSquare, SourceFrame, SquarePicture } from "./square.ts";

/**
 * Differences of edit and source, 0–255, from which on they count as a whole change for detail finer than the model's
 * pixels: a trunk in the place of which the sky now shows should leave no outline there.
 */
const changedAbove = 50;

/**
 * The edit with what the model's autoencoder has lost of `source`, a frame in the model's square:
 * `edited + (1 − m)·(source − reconstruction)`. The mask is 1 in places that the edit changed and 0 in those it left alone:
 * there the source stays, but for the small change asked.
 *
 * Where the model has learned gates, `restore` does it in place of the mask.
 */
export function keepDetail(
  source: Uint8Array,
  { edited, reconstruction }: DrawnSquare,
  { size, restore }: { readonly size: number; readonly restore?: RestoreDetail | undefined },
): SquarePicture {
  using _ = tensorScope();
  const change = largestByte(byteDifference(edited, reconstruction));
  if (change === 0) return { edited: source, source };
  if (restore)
    return { edited: restored(source, { edited, reconstruction }, size, restore), source };
  const detailed = { base: edited, source, carried: reconstruction };
  if (change <= UNCHANGED_BELOW) return { edited: withDetail(detailed, size), source };
  const [after, before] = [bytesOf(edited), bytesOf(reconstruction)];
  const mask = changeMask(after, before, size, REDRAWN_ABOVE);
  for (const used of [after, before]) freeBytes(used);
  return { edited: withDetail(detailed, size, mask), source };
}

function restored(
  source: Uint8Array,
  { edited, reconstruction }: DrawnSquare,
  size: number,
  restore: RestoreDetail,
): Uint8Array {
  const pixels = (bytes: Tensor): Pixels<"1 3 h w"> =>
    bytesToPixels(bytes.reshape([1, size, size, 3]).toDevice(defaultDevice()));
  const kept = restore({
    source: pixels(byteTensor(source)),
    reconstruction: pixels(reconstruction),
    edited: pixels(edited),
  });
  return bytesOf(toPackedBytes(kept));
}

/**
 * The edit of a frame's square at the frame's own size, `height × width × 3`, with the detail that is finer than the
 * model's pixels: `up(edited) + (1 − m)·(frame − up(source))`, with a mask of what the square changes. A frame of the model's
 * own size has nothing finer; the result is an array of its own.
 */
export function withFinerDetail(
  frame: SourceFrame,
  { edited, source }: SquarePicture,
  size: number,
): Uint8Array {
  const { rgb, width } = frame;
  if (edited === source) return rgb.slice();
  if (isSquareOf(frame, size)) return edited.slice();
  using _ = tensorScope();
  const own = (square: Uint8Array): Uint8Array => unfitFrame(square, size, frame);
  const [base, carried] = [own(edited), own(source)];
  const detailed = { base: byteTensor(base), source: rgb, carried: byteTensor(carried) };
  for (const copied of [base, carried]) freeBytes(copied);
  const change = largestByte(byteDifference(byteTensor(edited), byteTensor(source)));
  if (change <= UNCHANGED_BELOW) return withDetail(detailed, width);
  const squareMask = changeMask(edited, source, size, changedAbove);
  const result = withDetail(detailed, width, own(squareMask));
  freeBytes(squareMask);
  return result;
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
