import type { Tensor } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import {
  copyPublicWeights,
  publicWeights as weightsIn,
  snakeCase,
  type PublicLayout,
} from "../public-weights/layout.ts";
import type { Clip } from "./clip.ts";

/** transformers' CLIPModel. Older files carry buffers besides: the integers from 0. */
export const CLIP_LAYOUT: PublicLayout = {
  publicName: snakeCase,
  isIgnored: (name) => name.endsWith(".position_ids"),
};

/** The weights of `clip` under their public names. */
export function publicWeights(clip: Clip): Parameters {
  return weightsIn(clip, CLIP_LAYOUT);
}

/** Copies a public checkpoint into `clip`; `what` names it in errors. */
export function loadPublicWeights(
  clip: Clip,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyPublicWeights(clip, source, CLIP_LAYOUT, what);
}
