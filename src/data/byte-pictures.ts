import { dtypeCode } from "../engine/dtype.ts";
import { dispatch, Tensor } from "../engine/tensor.ts";

/**
 * Bytes of pictures, 0–255, as a tensor on the processor, in which the engine's vector instructions count many at once.
 *
 * All here is exact: whole numbers, which no order of adding changes.
 */
export function byteTensor(bytes: Uint8Array): Tensor {
  return Tensor.from(bytes, [bytes.length], "uint8", "cpu");
}

/** Its bytes, row-major. */
export function bytesOf(tensor: Tensor): Uint8Array {
  return new Uint8Array(tensor.toBytes());
}

/** `|left − right|` of bytes, which cannot leave 0–255. */
export function byteDifference(left: Tensor, right: Tensor): Tensor {
  const larger = left.maximum(right);
  return dispatch("aten::sub_.Tensor", larger, left.minimum(right));
}

/** Bytes whose sum an int16 holds. */
const COLUMN = 128;

/** The sum of all elements. */
export function byteSum(bytes: Tensor): number {
  const rest = bytes.size % COLUMN;
  const inColumns = bytes.size - rest;
  const whole = rest === 0 ? bytes : bytes.narrow(0, 0, inColumns);
  // Row upon row in the smallest numbers that hold it: the fewest bytes to move, and vector code all the way.
  const rows = whole.reshape([COLUMN, inColumns / COLUMN]);
  const sums = dispatch("aten::sum.dim_IntList", rows, [0], false, dtypeCode("int16"));
  const sum = dispatch("aten::sum", sums).item();
  return rest === 0 ? sum : sum + dispatch("aten::sum", bytes.narrow(0, inColumns, rest)).item();
}

/** The largest of each pixel's three channels, of packed RGB. */
export function largestChannel(rgb: Tensor): Tensor {
  const last = rgb.shape[0]! - 2;
  // Of all three bytes in a row, then every third: neighbours are compared many at once, channels one by one.
  const [one, two, three] = [0, 1, 2].map((from) => rgb.narrow(0, from, last));
  const largest = one!.maximum(two!).maximum(three!);
  return dispatch("aten::slice.Tensor", largest, 0, 0, last, 3).contiguous();
}

/** The largest element. */
export function largestByte(bytes: Tensor): number {
  return dispatch("aten::max", bytes).item();
}

/** 1 where a byte is above `threshold`, else 0. */
export function bytesAbove(bytes: Tensor, threshold: number): Tensor {
  const atLeast = dispatch("aten::clamp_min", bytes, threshold);
  return dispatch("aten::clamp_max_", dispatch("aten::sub_.Scalar", atLeast, threshold), 1);
}

/**
 * Frees the memory of bytes that nobody reads again; freed already, they stay so.
 *
 * Left to the collector, every few large arrays make it mark all objects of the program once more.
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** `base + source − carried`, clipped to 0–255. */
export function addDetail(base: Tensor, source: Tensor, carried: Tensor): Tensor {
  const sum = base.to("int16");
  dispatch("aten::add_.Tensor", sum, source);
  dispatch("aten::sub_.Tensor", sum, carried);
  return dispatch("aten::clamp_", sum, 0, 255).to("uint8");
}
