import type { Tensor } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import {
  copyPublicWeights,
  publicWeights as weightsIn,
  snakeCase,
  type PublicLayout,
} from "../public-weights/layout.ts";
import type { Autoencoder } from "./autoencoder.ts";

const LEGACY: readonly (readonly [RegExp, string])[] = [
  [/(\.attentions\.\d+)\.query\./, "$1.to_q."],
  [/(\.attentions\.\d+)\.key\./, "$1.to_k."],
  [/(\.attentions\.\d+)\.value\./, "$1.to_v."],
  [/(\.attentions\.\d+)\.proj_attn\./, "$1.to_out.0."],
];
const ATTENTION_WEIGHT = /\.attentions\.\d+\.to_(q|k|v|out\.0)\.weight$/;

/** The name that diffusers' AutoencoderKL has for one of our parameters. */
export function publicName(parameter: string): string {
  return snakeCase(parameter);
}

/**
 * diffusers' AutoencoderKL.
 *
 * Old files are read as well: attention under `query`, `key`, `value` and `proj_attn`, its matrices as 1×1
 * convolutions.
 */
export const VAE_LAYOUT: PublicLayout = {
  publicName,
  usualName: (name) =>
    LEGACY.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name),
  usualShape(name, weight) {
    const [outputs = 0, inputs = 0, ...kernel] = weight.shape;
    const isPointwise = ATTENTION_WEIGHT.test(name) && kernel.join() === "1,1";
    return isPointwise ? weight.reshape([outputs, inputs]) : weight;
  },
};

/** The weights of `vae` under their public names. */
export function publicWeights(vae: Autoencoder): Parameters {
  return weightsIn(vae, VAE_LAYOUT);
}

/** Copies a public checkpoint, of today's or of the old layout, into `vae`. */
export function loadPublicWeights(
  vae: Autoencoder,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyPublicWeights(vae, source, VAE_LAYOUT, what);
}
