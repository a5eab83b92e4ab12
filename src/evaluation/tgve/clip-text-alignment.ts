import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { cosines } from "./cosine.ts";

/**
 * TGVE's text alignment: the mean over frames of `exp(logitScale) · cos(frame, text)`, about 27 for good edits.
 *
 * Vectors are CLIP L/14's, `logitScale` its own: `log 100`.
 */
export function clipTextAlignment(
  frames: Float<"f d">,
  text: Float<"1 d">,
  logitScale: number,
): number {
  using _ = tensorScope();
  return Math.exp(logitScale) * cosines(frames, text).mean().item();
}
