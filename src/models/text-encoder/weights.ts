import type { Tensor } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import {
  copyPublicWeights,
  publicWeights as weightsIn,
  snakeCase,
  type PublicLayout,
} from "../public-weights/layout.ts";
import type { TextEncoder } from "./text-encoder.ts";

const PREFIX = "text_model.";
/** A buffer that older files carry: the integers from 0. */
const POSITION_IDS = /^(text_model\.)?embeddings\.position_ids$/;

/** The name that transformers' CLIPTextModel has for one of our parameters. */
export function publicName(parameter: string): string {
  return PREFIX + snakeCase(parameter);
}

/** transformers' CLIPTextModel; since version 5 it leaves out the prefix that all older files have. */
export const TEXT_ENCODER_LAYOUT: PublicLayout = {
  publicName,
  usualName: (name) => (name.startsWith(PREFIX) ? name : PREFIX + name),
  isIgnored: (name) => POSITION_IDS.test(name),
};

/** The weights of `encoder` under their public names. */
export function publicWeights(encoder: TextEncoder): Parameters {
  return weightsIn(encoder, TEXT_ENCODER_LAYOUT);
}

/** Copies a public checkpoint into `encoder`. */
export function loadPublicWeights(
  encoder: TextEncoder,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  copyPublicWeights(encoder, source, TEXT_ENCODER_LAYOUT, what);
}
