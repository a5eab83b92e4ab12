import { noGrad } from "../../engine/autodiff.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { inFastPrecision } from "../../engine/settings.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { DetailGates, EditedPixels } from "../../models/detail/detail-gates.ts";
import type { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";

/** Latents (means) of pictures, `count` at once; everything else is freed. */
export function encodePixels(
  autoencoder: Autoencoder,
  pixels: Pixels<"f 3 h w">,
  count: number,
): Float<"f c _ _"> {
  return inBatches(pixels, count, (batch) => autoencoder.latent(batch));
}

/** Pictures of latents, within [-1, 1], `count` at once; everything else is freed. */
export function decodeLatents(
  autoencoder: Autoencoder,
  latents: Float<"f c h w">,
  count: number,
): Pixels<"f 3 _ _"> {
  return inBatches(latents, count, (batch) => autoencoder.decode(batch).clamp(-1, 1));
}

function inBatches(input: Tensor, count: number, work: (batch: Tensor) => Tensor): Tensor {
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

/** Edited pictures with what they should have kept, within [-1, 1]; everything else is freed. */
export function restoredDetail(gates: DetailGates, pictures: EditedPixels): Pixels<"b 3 h w"> {
  using _ = tensorScope();
  const { device } = pictures.edited;
  return keep(noGrad(() => inFastPrecision(device, () => gates.forward(pictures).clamp(-1, 1))));
}

/** Token features of one sentence. */
export function sentenceFeatures(
  encoder: TextEncoder,
  tokenizer: Tokenizer,
  sentence: string,
): Float<"1 n d"> {
  const ids = tokenizer.encode(sentence);
  using _ = tensorScope();
  return keep(noGrad(() => encoder.forward(Tensor.from(ids, [1, ids.length], "int64"))));
}
