import { toBytes, toPixels } from "../../data/pixels.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { scoped, tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";

/** RGB frames, `size × size × 3` bytes each, as the model's latents. */
export function encoded(model: EvaluatedModel, frames: readonly Uint8Array[]): Float<"f c h w"> {
  return scoped(() => noGrad(() => model.encode(toPixels(frames, model.size, model.size))));
}

/** Latents as RGB bytes of each frame. */
export function decoded(model: EvaluatedModel, latents: Float<"f c h w">): Uint8Array[] {
  using _ = tensorScope();
  return noGrad(() => toBytes(model.decode(latents)));
}
