import { scoped } from "../engine/scope.ts";
import { computingType } from "../engine/settings.ts";
import type { Tensor } from "../engine/tensor.ts";

/** Whether `weight` is stored in half precision, as frozen networks may be. */
export function isHalf({ dtype }: Tensor): boolean {
  return dtype === "float16" || dtype === "bfloat16";
}

/**
 * What `compute` makes of `weight` in the type that is computed in at the moment (`computingType`).
 *
 * A weight in half precision is converted where it is used and the copy freed at once, so that a network takes no more
 * memory than its file. Where a graph is recorded, the graph keeps the copy.
 */
export function withWeight(weight: Tensor, compute: (weight: Tensor) => Tensor): Tensor {
  if (!isHalf(weight)) return compute(weight);
  const computing = computingType(weight.device);
  if (weight.dtype === computing) return compute(weight);
  return scoped(() => compute(weight.to(computing)));
}
