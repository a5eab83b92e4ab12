import { noGrad } from "../../engine/autodiff.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { inFastPrecision } from "../../engine/settings.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { toPixels } from "../pixels.ts";

const ENCODE_BATCH = 32;

/** The latents (means) of RGB frames, in float32; frees everything else. */
export function encodeFrames(
  autoencoder: Autoencoder,
  frames: readonly Uint8Array[],
  size: number,
): Float<"f c h w"> {
  using _ = tensorScope();
  const pieces: Tensor[] = [];
  for (let first = 0; first < frames.length; first += ENCODE_BATCH) {
    using piece = tensorScope();
    const pixels = toPixels(frames.slice(first, first + ENCODE_BATCH), size, size);
    const latents = noGrad(() => inFastPrecision(pixels.device, () => autoencoder.latent(pixels)));
    piece.passOutward(latents);
    pieces.push(latents);
  }
  return keep(Tensor.cat(pieces, 0));
}
