import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { cosines } from "./cosine.ts";

/**
 * CLIPFrame (§4.1): how alike the frames of one video are to CLIP, the mean cosine of all ordered pairs of different frames.
 *
 * `features` are CLIP L/14's vectors of pictures. In [-1, 1]; a still picture gets 1, whatever it shows.
 */
export function clipFrameConsistency(features: Float<"f d">): number {
  using _ = tensorScope();
  const { f } = dims(features, "f _");
  if (f < 2) {
    throw new ShapeError(`expected a video of at least 2 frames, got ${f}: one frame has no pairs`);
  }
  // a frame's cosine with itself is 1
  return (cosines(features, features).sum().item() - f) / (f * (f - 1));
}
