import { scoped } from "../../engine/scope.ts";
import type { Float, Pixels } from "../../engine/tensor.ts";

/** Pixels in [0, 1], the range in which every metric is stated; what lies outside [-1, 1] is clipped. */
export function unitRange(pixels: Pixels<"f 3 h w">): Float<"f 3 h w"> {
  return scoped(() => pixels.to("float32").add(1).mul(0.5).clamp(0, 1));
}
