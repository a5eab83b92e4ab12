import { tensorScope } from "../engine/scope.ts";
import { dispatch, Tensor } from "../engine/tensor.ts";

/**
 * Bytes of pictures, 0–255, as a tensor on the processor, in which the engine's vector instructions count many at once.
 *
 * All here is exact: whole numbers, which no order of adding changes.
 */
export function byteTensor(bytes: Uint8Array, shape: readonly number[]): Tensor {
  return Tensor.from(bytes, shape, "uint8", "cpu");
}

/** `|left − right|` of bytes, which cannot leave 0–255. */
export function byteDifference(left: Tensor, right: Tensor): Tensor {
  const larger = dispatch("aten::maximum", left, right);
  return dispatch("aten::sub_.Tensor", larger, dispatch("aten::minimum", left, right));
}

/** Bytes whose sum a float32 holds exactly. */
const ROW = 4096;

/** The sum of all elements. */
export function byteSum(bytes: Tensor): number {
  const flat = bytes.reshape([-1]);
  const length = flat.shape[0]!;
  const inRows = length - (length % ROW);
  // Row by row in float32, for which there is vector code: two thirds of the time of a sum in whole numbers.
  const rows = flat.narrow(0, 0, inRows).to("float32").reshape([-1, ROW]);
  const sums = dispatch("aten::sum.dim_IntList", rows, [1]).to("float64");
  const rest = dispatch("aten::sum", flat.narrow(0, inRows, length - inRows));
  return sums.sum().item() + rest.item();
}

/** The largest of each pixel's three channels, of packed RGB. */
export function largestChannel(rgb: Tensor): Tensor {
  const last = rgb.shape[0]! - 2;
  // Of all three bytes in a row, then every third: neighbours are compared many at once, channels one by one.
  const [one, two, three] = [0, 1, 2].map((from) => rgb.narrow(0, from, last));
  const largest = dispatch("aten::maximum", dispatch("aten::maximum", one, two), three);
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
 * Frees the memory of bytes that nobody reads again.
 *
 * Left to the collector, every few large arrays make it mark all objects of the program once more.
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Mean of `|left − right|` over two pictures' bytes. */
export function meanByteDifference(left: Uint8Array, right: Uint8Array): number {
  using _ = tensorScope();
  const [one, other] = [left, right].map((bytes) => byteTensor(bytes, [bytes.length]));
  return byteSum(byteDifference(one!, other!)) / left.length;
}

/** `base + source − carried`, clipped to 0–255. */
export function addDetail(base: Uint8Array, source: Uint8Array, carried: Uint8Array): Uint8Array {
  using _ = tensorScope();
  const whole = (bytes: Uint8Array) => byteTensor(bytes, [bytes.length]).to("int16");
  const sum = dispatch("aten::add_.Tensor", whole(base), whole(source));
  dispatch("aten::sub_.Tensor", sum, whole(carried));
  return new Uint8Array(dispatch("aten::clamp_", sum, 0, 255).to("uint8").toBytes());
}
