import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";

/** Mean and deviation of red, green and blue in [0, 1], relative to which a network reads pixels. */
export type PixelUnits = {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
};

/** ImageNet's: what DINO, DINOv2 and ViCLIP read. */
export const IMAGENET_UNITS: PixelUnits = {
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
};

/** Those of CLIP's own training pictures (Radford et al., 2021), which OpenCLIP's models and PickScore kept. */
export const CLIP_UNITS: PixelUnits = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
};

/** Pixels in [-1, 1] to a network's own units. */
export function inUnits(
  pixels: Pixels<"b 3 h w">,
  { mean, deviation }: PixelUnits,
): Float<"b 3 h w"> {
  const perChannel = (values: readonly number[]): Tensor =>
    Tensor.from(values, [3, 1, 1]).toDevice(pixels.device);
  const gains = perChannel(deviation.map((value) => 0.5 / value));
  const shifts = perChannel(mean.map((value, c) => (0.5 - value) / deviation[c]!));
  return pixels.mul(gains).add(shifts);
}
