import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { cosines } from "./cosine.ts";

/** ViCLIP_out (§4.1): how well an edited video fits its caption, the cosine of their ViCLIP vectors, in [-1, 1]. */
export function viclipOut(video: Float<"1 d">, caption: Float<"1 d">): number {
  using _ = tensorScope();
  return cosines(video, caption).item();
}
