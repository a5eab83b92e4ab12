import { dims } from "../../engine/axes.ts";
import type { Float } from "../../engine/tensor.ts";

/** Lengths below this count as it: nothing has no direction, and its cosine with anything is 0. */
const SHORTEST = 1e-8;

/** Vectors brought to length one, in float64: metrics are means of many numbers that are nearly equal. */
export function directions(x: Float<"n d">): Float<"n d"> {
  const precise = x.to("float64");
  const lengths = precise.square().sum([-1], { keepDim: true }).sqrt();
  return precise.div(lengths.clamp(SHORTEST, null));
}

/** The cosine of every row of `a` with every row of `b`, in [-1, 1]. */
export function cosines(a: Float<"n d">, b: Float<"m d">): Float<"n m"> {
  const { d } = dims(a, "_ d");
  dims(b, `_ ${d}`);
  return directions(a).matmul(directions(b).transpose(0, 1));
}
