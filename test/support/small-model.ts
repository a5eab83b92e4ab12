import { join } from "node:path";
import { sampleSentences } from "../../src/data/world/corpus.ts";
import { TASKS } from "../../src/data/world/tasks.ts";
import { Rng, normal } from "../../src/engine/random.ts";
import { scoped } from "../../src/engine/scope.ts";
import { EditAdapter, EditAdapterConfig } from "../../src/eve/adapters/edit-adapter.ts";
import { VideoAdapterConfig } from "../../src/eve/adapters/video-adapter.ts";
import type { ModelDescription } from "../../src/eve/model/model-description.ts";
import { ModelFolder, TEACHER_PARTS } from "../../src/eve/model/model-folder.ts";
import { AlignmentConfig } from "../../src/eve/stack/alignment-config.ts";
import { createAlignment } from "../../src/eve/stack/student.ts";
import { TemporalLayers } from "../../src/models/temporal/temporal-layers.ts";
import {
  resolveTextEncoderConfig,
  type TextEncoderConfig,
} from "../../src/models/text-encoder/config.ts";
import { TextEncoder } from "../../src/models/text-encoder/text-encoder.ts";
import { loadTokenizer, type Tokenizer } from "../../src/models/text-encoder/tokenizer.ts";
import { trainTokenizer, writeTokenizer } from "../../src/models/text-encoder/train-tokenizer.ts";
import { resolveUNetConfig } from "../../src/models/unet/config.ts";
import { UNet } from "../../src/models/unet/unet.ts";
import { Autoencoder } from "../../src/models/vae/autoencoder.ts";
import { resolveVaeConfig } from "../../src/models/vae/config.ts";
import { resolveVisionConfig } from "../../src/models/vision/config.ts";
import { VisionTransformer } from "../../src/models/vision/vision-transformer.ts";
import type { Module } from "../../src/nn/module.ts";

/** Side of the small model's pictures, in pixels; its latents are `[4 8 8]`. */
export const SMALL_SIZE = 32;

export const SMALL_AUTOENCODER = resolveVaeConfig({
  latentChannels: 4,
  blockOutChannels: [16, 32],
  layersPerBlock: 1,
  normGroups: 8,
  patchSize: 2,
  midAttention: false,
  quantConv: false,
  scalingFactor: 1,
});

export const SMALL_UNET = resolveUNetConfig({
  blockOutChannels: [16, 32],
  layersPerBlock: 1,
  downBlockTypes: ["plain", "crossAttention"],
  upBlockTypes: ["crossAttention", "plain"],
  crossAttentionDim: 16,
  heads: 2,
  feedForwardExpansion: 1,
  normGroups: 8,
});

export const SMALL_EDIT_ADAPTER = EditAdapterConfig.parse({
  hint: { type: "latent", channels: 4 },
  tasks: [...TASKS],
  taskFeatures: 8,
  taskTokens: 2,
});

export const SMALL_VIDEO_ADAPTER = VideoAdapterConfig.parse({
  window: 4,
  temporal: { heads: 2, feedForwardExpansion: 1, conditionChannels: 5 },
});

export const SMALL_VISION = resolveVisionConfig({
  imageSize: SMALL_SIZE,
  patchSize: 8,
  width: 16,
  layers: 1,
  heads: 2,
  expansion: 2,
});

export const SMALL: ModelDescription = {
  format: 1,
  name: "small",
  size: SMALL_SIZE,
  prediction: "v",
  schedule: {
    kind: "scaled_linear",
    steps: 1000,
    betaStart: 0.00085,
    betaEnd: 0.012,
    zeroTerminalSnr: true,
  },
};

/** One layer of 16 features over at most 36 tokens. */
export function smallTextEncoderConfig(vocabSize: number): TextEncoderConfig {
  return resolveTextEncoderConfig({
    vocabSize,
    hiddenSize: 16,
    layers: 1,
    heads: 2,
    intermediateSize: 32,
    maxPositions: 36,
  });
}

/** Writes a tokenizer of a few of the world's sentences into `folder`; other words fall into pieces. */
export function smallTokenizer(folder: string): Tokenizer {
  const corpus = [0, 1].flatMap((index) => Object.values(sampleSentences("train", index)));
  writeTokenizer(folder, trainTokenizer(corpus), { maxPositions: 36 });
  return loadTokenizer(folder);
}

/** The networks that diffusion runs on, with random weights; adapters as they are born, adding nothing. */
export function smallNetworks(rng = Rng.seed(7)): {
  unet: UNet;
  editAdapter: EditAdapter;
  layers: TemporalLayers;
} {
  const unet = new UNet(rng.split("unet"), SMALL_UNET);
  return {
    unet,
    editAdapter: new EditAdapter(rng.split("edit"), unet, SMALL_EDIT_ADAPTER),
    layers: new TemporalLayers(rng.split("video"), unet, SMALL_VIDEO_ADAPTER.temporal),
  };
}

/** Moves every weight away from its birth, as training does: what starts at zero then has a say. */
export function disturbed<T extends Module>(module: T, amount = 0.1, rng = Rng.seed(8)): T {
  for (const [name, weight] of module.parameters()) {
    const moved = scoped(() =>
      weight.detach().addScaled(normal(rng.split(name), weight.shape), amount),
    );
    weight.detach().copyFrom(moved);
  }
  return module;
}

/** What `saveSmallModel` puts into the folder beside the backbone and the autoencoder. */
export interface SmallModelOptions {
  /** Whether there is a video adapter; default true. */
  readonly hasVideo?: boolean;
  /** Whether the adapters are away from their birth; default true. */
  readonly isTrained?: boolean;
  /** Whether there is what critics see with; default false. */
  readonly hasVision?: boolean;
  /** Whether there is an alignment, and whether it is away from its birth; default none. */
  readonly alignment?: "fresh" | "trained";
  /** Adapters that draw a look of their own; default none. */
  readonly looks?: readonly ("style" | "subject")[];
}

/** Writes a complete model of untrained, very small networks to `path`, through the classes that real ones use. */
export function saveSmallModel(
  path: string,
  {
    hasVideo = true,
    isTrained = true,
    hasVision = false,
    looks = [],
    alignment,
  }: SmallModelOptions = {},
): ModelFolder {
  const rng = Rng.seed(9);
  const folder = new ModelFolder(path);
  folder.describe(SMALL);
  const tokenizerFolder = join(path, "tokenizer-source");
  const { vocabularySize } = smallTokenizer(tokenizerFolder);
  const { unet, editAdapter, layers } = smallNetworks(rng);
  const encoderConfig = smallTextEncoderConfig(vocabularySize);
  const weightsOf = (module: Module) => (isTrained ? disturbed(module) : module).parameters();
  folder.savePart("autoencoder", {
    config: SMALL_AUTOENCODER,
    weights: new Autoencoder(rng.split("autoencoder"), SMALL_AUTOENCODER).parameters(),
  });
  folder.savePart("text-encoder", {
    config: encoderConfig,
    weights: new TextEncoder(rng.split("text"), encoderConfig).parameters(),
    files: ["tokenizer.json", "words.json"].map((name) => join(tokenizerFolder, name)),
  });
  folder.savePart("backbone", { config: SMALL_UNET, weights: unet.parameters() });
  folder.savePart("edit-adapter", {
    config: SMALL_EDIT_ADAPTER,
    weights: weightsOf(editAdapter),
  });
  if (hasVideo)
    folder.savePart("video-adapter", { config: SMALL_VIDEO_ADAPTER, weights: weightsOf(layers) });
  if (hasVision) {
    const vision = new VisionTransformer(rng.split("vision"), SMALL_VISION);
    folder.savePart("vision", { config: SMALL_VISION, weights: vision.parameters() });
  }
  for (const type of looks) {
    const config = AlignmentConfig.parse({ rank: 2 });
    const look = disturbed(createAlignment(Rng.seed(11), unet, config));
    const weights = look.parameters();
    const name = { style: "line-art", subject: "owl" }[type];
    folder.savePart(`${type}-adapter`, { config: { look: name, ...config }, weights });
  }
  if (alignment) saveAlignment(folder, unet, alignment === "trained");
  return folder;
}

function saveAlignment(folder: ModelFolder, unet: UNet, isTrained: boolean): void {
  const config = AlignmentConfig.parse({ rank: 2 });
  const lora = createAlignment(Rng.seed(10), unet, config);
  folder.savePart("alignment", {
    config: { student: "aligned", ...config, teachers: folder.hash(TEACHER_PARTS.alignment) },
    weights: (isTrained ? disturbed(lora) : lora).parameters(),
  });
}
