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
