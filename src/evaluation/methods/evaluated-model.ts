import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { EditingModel } from "../../editing/settings/model.ts";
import type { Float } from "../../engine/tensor.ts";

/**
 * What evaluation needs of a model: `EditModel` is one, a test's stand-in another.
 *
 * Conditions are opaque here: what a model prepares goes back into that model's own denoiser.
 */
export interface EvaluatedModel extends EditingModel {
  captionCondition(caption: string): unknown;
  /** The backbone alone, one picture per batch entry. */
  backbone(): Denoiser<unknown>;
  videoCondition(caption: string, firstFrame: Float<"1 c h w">): unknown;
  /** Draws the frames of a window together, after the first frame. */
  videoTeacher(): Denoiser<unknown>;
}
