import type { Tensor } from "../../engine/tensor.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
import type { Clip } from "./clip.ts";

/** Buffers that older files carry: the integers from 0. */
const POSITION_IDS = /\.position_ids$/;

/** The weights of `clip` under the names of transformers' CLIPModel. */
export function publicWeights(clip: Clip): Parameters {
  const publicName = (parameter: string): string =>
    parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new Map([...clip.parameters()].map(([name, weight]) => [publicName(name), weight]));
}

/** Copies a public checkpoint into `clip`; `what` names it in errors. */
export function loadPublicWeights(
  clip: Clip,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  const weights = new Map([...source].filter(([name]) => !POSITION_IDS.test(name)));
  copyParameters(publicWeights(clip), weights, what);
}
