import type { Float } from "../../engine/tensor.ts";
import { clipTextAlignment } from "./clip-text-alignment.ts";

/**
 * PickScore (Kirstain et al., 2023) of a video: the mean over frames of `exp(logitScale) · cos(frame, text)`, about 20.
 *
 * The same arithmetic as CLIP's text alignment with the vectors of another network: an H/14 that learned which of two
 * pictures people prefer for a text.
 */
export function pickScore(frames: Float<"f d">, text: Float<"1 d">, logitScale: number): number {
  return clipTextAlignment(frames, text, logitScale);
}
