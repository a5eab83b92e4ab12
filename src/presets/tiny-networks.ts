import { TASKS } from "../data/world/tasks.ts";
import { EditAdapterConfig } from "../eve/adapters/edit-adapter.ts";
import { VideoAdapterConfig } from "../eve/adapters/video-adapter.ts";
import type { ModelDescription } from "../eve/model/model-description.ts";
import type { AlignmentName, LookPart, Part } from "../eve/model/model-folder.ts";
import { DetailGatesConfig } from "../models/detail/config.ts";
import { resolveTextEncoderConfig, type TextEncoderConfig } from "../models/text-encoder/config.ts";
import { resolveUNetConfig } from "../models/unet/config.ts";
import { resolveVaeConfig } from "../models/vae/config.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";

/** Side of the pictures of the tiny model, in pixels. */
export const TINY_SIZE = 128;

/** 128×128 pixels to 16×16 latents of 16 channels. */
export const TINY_AUTOENCODER = resolveVaeConfig({
  latentChannels: 16,
  blockOutChannels: [96, 160],
  layersPerBlock: 1,
  normGroups: 8,
  patchSize: 4,
  midAttention: false,
  quantConv: false,
  scalingFactor: 1,
});

/** Latents place by place at 16×16, where nothing has to squeeze through; words and all places meet at every level. */
export const TINY_UNET = resolveUNetConfig({
  inChannels: 16,
  outChannels: 16,
  blockOutChannels: [96, 128, 144],
  layersPerBlock: 1,
  downBlockTypes: ["crossAttention", "crossAttention", "crossAttention"],
  upBlockTypes: ["crossAttention", "crossAttention", "crossAttention"],
  crossAttentionDim: 128,
  heads: [4, 4, 6],
  feedForwardExpansion: 2,
  normGroups: 16,
});

/** The edit adapter: it reads the input's latent and has a label for each task of the world. */
export const TINY_EDIT_ADAPTER = EditAdapterConfig.parse({
  hint: { type: "latent", channels: 16 },
  copyHead: true,
  tasks: [...TASKS],
});

/** The video adapter: windows of 8 frames, each of which is shown the first frame's latent. */
export const TINY_VIDEO_ADAPTER = VideoAdapterConfig.parse({
  window: 8,
  temporal: {
    heads: 4,
    feedForwardExpansion: 1,
    conditionChannels: 17,
    firstFrameOn: "every",
  },
});

/** The gates of detail, of the default shape. */
export const TINY_DETAIL_GATES = DetailGatesConfig.parse({});

/** What the parts of the tiny model have in common. */
export const TINY: ModelDescription = {
  format: 1,
  name: "tiny",
  size: TINY_SIZE,
  prediction: "v",
  schedule: {
    kind: "scaled_linear",
    steps: 1000,
    betaStart: 0.00085,
    betaEnd: 0.012,
    zeroTerminalSnr: true,
  },
  sampling: TINY_SAMPLING,
};

/** Four layers of 128 features over at most 36 tokens; the vocabulary is the world's. */
export function tinyTextEncoder(vocabSize: number): TextEncoderConfig {
  return resolveTextEncoderConfig({
    vocabSize,
    hiddenSize: 128,
    layers: 4,
    heads: 4,
    intermediateSize: 512,
    maxPositions: 36,
  });
}

/**
 * The config that a part of the tiny model is saved with; the autoencoder's gets its statistics on the way.
 *
 * The text encoder's goes by its vocabulary (`tinyTextEncoder`); those of alignments and of adapters for looks are their runs'.
 */
export function tinyPartConfig(
  part: Exclude<Part, AlignmentName | LookPart | "text-encoder">,
): unknown {
  switch (part) {
    case "autoencoder":
      return TINY_AUTOENCODER;
    case "backbone":
      return TINY_UNET;
    case "edit-adapter":
      return TINY_EDIT_ADAPTER;
    case "video-adapter":
      return TINY_VIDEO_ADAPTER;
    case "detail-gates":
      return TINY_DETAIL_GATES;
    case "vision":
      return TINY_VISION;
  }
}
