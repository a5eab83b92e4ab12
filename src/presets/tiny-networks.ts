import { resolveTextEncoderConfig } from "../models/text-encoder/config.ts";
import { resolveVaeConfig } from "../models/vae/config.ts";

/** Side of the pictures of the tiny model, in pixels. */
export const TINY_SIZE = 128;

/** 128×128 pixels to 16×16 latents of 12 channels. */
export const TINY_AUTOENCODER = resolveVaeConfig({
  latentChannels: 12,
  blockOutChannels: [32, 64, 128],
  layersPerBlock: 1,
  normGroups: 8,
  patchSize: 2,
  midAttention: false,
  quantConv: false,
  scalingFactor: 1,
});

/** Four layers of 128 features over at most 40 tokens; the vocabulary is the world's. */
export function tinyTextEncoder(vocabSize: number) {
  return resolveTextEncoderConfig({
    vocabSize,
    hiddenSize: 128,
    layers: 4,
    heads: 4,
    intermediateSize: 512,
    maxPositions: 40,
  });
}
