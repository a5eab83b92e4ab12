import { ShapeError } from "../../src/engine/errors.ts";
import type { Tensor } from "../../src/engine/tensor.ts";

/** The largest absolute difference between two tensors of one shape. */
export function maxDifference(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new ShapeError(`expected [${expected.shape.join(" ")}], got [${actual.shape.join(" ")}]`);
  }
  return actual.to("float32").sub(expected.to("float32")).abs().max().item();
}
