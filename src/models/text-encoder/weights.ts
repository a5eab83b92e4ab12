import type { Tensor } from "../../engine/tensor.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
import type { TextEncoder } from "./text-encoder.ts";

/** A buffer that older files carry: the integers from 0. */
const POSITION_IDS = "text_model.embeddings.position_ids";

/** The name that transformers' CLIPTextModel has for one of our parameters. */
export function publicName(parameter: string): string {
  const snakeCase = parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `text_model.${snakeCase}`;
}

/** The weights of `encoder` under their public names. */
export function publicWeights(encoder: TextEncoder): Parameters {
  return new Map([...encoder.parameters()].map(([name, weight]) => [publicName(name), weight]));
}

/** Copies a public checkpoint into `encoder`. */
export function loadPublicWeights(
  encoder: TextEncoder,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  const weights = new Map([...source].filter(([name]) => name !== POSITION_IDS));
  copyParameters(publicWeights(encoder), weights, what);
}
