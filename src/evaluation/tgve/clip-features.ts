import { clipPicture } from "../../data/image/clip-picture.ts";
import { resizeBilinear } from "../../data/image/resize-bilinear.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { toPixels } from "../../data/pixels.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { scoped } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { LoadedClip } from "../../models/clip/load-clip.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import type { LoadedViclip } from "../../models/viclip/load-viclip.ts";
import { sampledFrames } from "../../models/viclip/viclip.ts";

/** Pictures that go through a network at once. */
const AT_ONCE = 8;

/** CLIP's vectors of pictures of any size, each prepared as CLIP's own image processor does. */
export function clipImageFeatures(
  { network }: Pick<LoadedClip, "network">,
  pictures: readonly RgbImage[],
): Float<"f d"> {
  const { imageSize } = network.config.vision;
  const starts = Array.from(
    { length: Math.ceil(pictures.length / AT_ONCE) },
    (_, batch) => batch * AT_ONCE,
  );
  return inference(() => {
    const batches = starts.map((start) => {
      const some = pictures.slice(start, start + AT_ONCE);
      const bytes = some.map((picture) => clipPicture(picture, imageSize).rgb);
      return scoped(() => network.imageFeatures(toPixels(bytes, imageSize, imageSize)));
    });
    return Tensor.cat(batches, 0);
  });
}

/** CLIP's vector of a text, which loses its tail where it is too long. */
export function clipTextFeatures({ network, tokenizer }: LoadedClip, text: string): Float<"1 d"> {
  return inference(() => network.textFeatures(idsOf(tokenizer, text)));
}

/** ViCLIP's vector of a video: frames at equal steps, each brought to its square whatever its aspect ratio. */
export function viclipVideoFeatures(
  { network }: Pick<LoadedViclip, "network">,
  frames: readonly RgbImage[],
): Float<"1 d"> {
  const { frames: wanted, imageSize } = network.config.video;
  const size = { width: imageSize, height: imageSize };
  const shown = sampledFrames(frames.length, wanted).map((index) => frames[index]!);
  const bytes = shown.map((frame) => resizeBilinear(frame, size).rgb);
  return inference(() =>
    network.visionEncoder.forward(toPixels(bytes, imageSize, imageSize).unsqueeze(0)),
  );
}

/** ViCLIP's vector of a text, which loses its tail where it is too long. */
export function viclipTextFeatures(
  { network, tokenizer }: LoadedViclip,
  text: string,
): Float<"1 d"> {
  return inference(() => network.textEncoder.forward(idsOf(tokenizer, text)));
}

function idsOf(tokenizer: Tokenizer, text: string): Tensor {
  return Tensor.from(tokenizer.encode(text), [1, tokenizer.maxPositions], "int64");
}

function inference(work: () => Tensor): Tensor {
  return scoped(() => noGrad(work));
}
