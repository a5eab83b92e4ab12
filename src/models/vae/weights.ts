import type { Tensor } from "../../engine/tensor.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
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
  return parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The weights of `vae` under their public names. */
export function publicWeights(vae: Autoencoder): Parameters {
  return new Map([...vae.parameters()].map(([name, weight]) => [publicName(name), weight]));
}

/**
 * Copies a public checkpoint into `vae`.
 *
 * Old files are read as well: attention under `query`, `key`, `value` and `proj_attn`, its matrices as 1×1
 * convolutions.
 */
export function loadPublicWeights(
  vae: Autoencoder,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  const modern = [...source].map(([name, weight]) => {
    const today = LEGACY.reduce(
      (text, [pattern, replacement]) => text.replace(pattern, replacement),
      name,
    );
    const isPointwise = ATTENTION_WEIGHT.test(today) && weight.shape.length === 4;
    return [today, isPointwise ? weight.reshape(weight.shape.slice(0, 2)) : weight] as const;
  });
  copyParameters(publicWeights(vae), new Map(modern), what);
}
