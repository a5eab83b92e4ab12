import { ShapeError } from "../../src/engine/errors.ts";
import type { Tensor } from "../../src/engine/tensor.ts";

function values(x: Tensor): Float64Array {
  return new Float64Array(x.to("float64").toBytes());
}

/** The largest |a − b| over all elements, in float64; infinite where a value is NaN. Shapes must be the same. */
export function largestDifference(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join()) {
    throw new ShapeError(`expected [${b.shape.join(" ")}], got [${a.shape.join(" ")}]`);
  }
  const right = values(b);
  const differences = values(a).map((value, index) => Math.abs(value - (right[index] ?? NaN)));
  return differences.reduce((worst, d) => (d <= worst ? worst : Number.isNaN(d) ? Infinity : d), 0);
}

/**
 * What is between `actual` and `expected`, as a share of `expected`: the root of the mean square of one by that of the
 * other. Unlike the largest difference it does not grow with the number of elements.
 */
export function relativeError(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new ShapeError(`expected [${expected.shape.join(" ")}], got [${actual.shape.join(" ")}]`);
  }
  const reference = values(expected);
  const squares = (all: Float64Array): number => all.reduce((sum, value) => sum + value ** 2, 0);
  const errors = values(actual).map((value, index) => value - (reference[index] ?? NaN));
  return Math.sqrt(squares(errors) / squares(reference));
}

/**
 * Largest `relativeError` of a network in bf16 against float32.
 *
 * bf16 keeps 8 bits. A processor with instructions for it rounds once a layer, about 0.003. One without rounds every
 * partial sum of K terms: 0.0012·√K was measured, 0.02 for the K of a few hundred that the networks of tests have; and
 * such errors add up as the root of the layers, a few dozen at most. A layer that is wrong is off by about 1.
 */
export const BF16_NETWORK = 0.15;

/** The same of one result in batches of two sizes, which sum in another order. */
export const BF16_BATCHES = 0.05;
