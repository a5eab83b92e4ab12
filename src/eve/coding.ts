import { noGrad } from "../engine/autodiff.ts";
import { keep, tensorScope } from "../engine/scope.ts";
import { inFastPrecision } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";

/** Sends pictures or latents through an autoencoder, `count` at once, and frees everything but what it makes of them. */
export function inBatches(input: Tensor, count: number, work: (batch: Tensor) => Tensor): Tensor {
  using _ = tensorScope();
  const all = input.shape[0]!;
  const pieces: Tensor[] = [];
  for (let first = 0; first < all; first += count) {
    using piece = tensorScope();
    const batch = input.narrow(0, first, Math.min(count, all - first));
    const result = noGrad(() => inFastPrecision(batch.device, () => work(batch)));
    piece.passOutward(result);
    pieces.push(result);
  }
  return keep(Tensor.cat(pieces, 0));
}
