import type { z } from "zod";
import type { TrainConfigInput } from "../training/config.ts";
import type { Preset } from "../training/stage.ts";
import {
  AutoencoderSettings,
  DecoderSettings,
  DetailGatesSettings,
  EditAdapterSettings,
  LatentSettings,
  TextEncoderSettings,
  VideoAdapterSettings,
} from "../training/stages/settings.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import {
  StyleAdapterSettings,
  SubjectAdapterSettings,
} from "../training/stages/look-adapter-settings.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";
import { VisionSettings } from "../training/stages/vision-settings.ts";

/** What all stages on latents share: small networks like a high rate, and a moving average of a few hundred steps. */
const LATENT_DEFAULTS = {
  warmup: 100,
  schedule: "cosine",
  weightDecay: 0.01,
  betas: [0.9, 0.99],
  ema: 0.995,
  precision: "bfloat16",
  validateEvery: 250,
  sampleEvery: 500,
  seed: 1,
} satisfies Partial<TrainConfigInput>;

/** What stages share that learn by what the edit adapter draws, in pixels. */
const DRAWN_DEFAULTS = {
  batch: 8,
  optimizer: "muon",
  warmup: 50,
  schedule: "cosine",
  ema: 0.99,
  weightDecay: 0,
  betas: [0.9, 0.99],
  validateEvery: 250,
  sampleEvery: 1000,
  seed: 1,
} satisfies Partial<TrainConfigInput>;

/** Scales of classifier-free guidance: none. */
const UNGUIDED = { image: 1, text: 1 };

/**
 * Where the distillation of the small networks departs from the defaults: guidance costs them quality, and the
 * transformer that critics see with has four layers. The student draws without noise, as in use.
 * Deviation: that, the weights of both teachers, the rates and the length are measured (docs/alignment-history.md): the video
 * teacher costs what is to be kept, the stack believes the video adapter too much and learns to hear it less, and long runs
 * lose what short ones gain.
 */
const TINY_DISTILLATION = {
  items: 128,
  held: 7,
  alignment: { rank: 2, layers: "all" },
  strengthRate: 600,
  kBin: { start: "end" },
  scoreDistillation: { times: [0.1, 0.55], draws: 2, guideEdit: UNGUIDED, guideVideo: UNGUIDED },
  samples: {
    steps: 3,
    times: [999, 500, 200],
    temperature: TINY_SAMPLING.temperature,
    guideEdit: UNGUIDED,
    guideVideo: UNGUIDED,
  },
  temperature: TINY_SAMPLING.temperature,
  alpha: 0.95,
  beta: 0.05,
  noise: "both",
  criticWarmup: 18,
  heads: { depths: [0, 2, 4] },
  recompute: false,
} satisfies z.input<typeof DistillationSettings>;

/** The model that ships: 128×128 pixels, trained from nothing on the generated world. */
export const tiny: Preset = {
  name: "tiny",
  description:
    "128x128, trained from nothing on the generated world; edits in seconds on two cores",
  stages: {
    autoencoder: {
      description: "pixels to latents and back",
      config: {
        steps: 12_000,
        batch: 16,
        learningRate: 1.5e-3,
        warmup: 100,
        schedule: "cosine",
        ema: 0.998,
        weightDecay: 0,
        betas: [0.9, 0.99],
        precision: "bfloat16",
        validateEvery: 500,
        sampleEvery: 1000,
        seed: 1,
      },
      settings: AutoencoderSettings,
      open: async (config, context) =>
        (await import("./tiny-stages.ts")).openAutoencoder(config, context),
    },
    "text-encoder": {
      description: "captions and instructions to token features, from sentences alone",
      config: {
        ...LATENT_DEFAULTS,
        steps: 2000,
        batch: 64,
        learningRate: 1e-3,
        precision: "float32",
        sampleEvery: 0,
      },
      settings: TextEncoderSettings,
      open: async (config) => (await import("./tiny-stages.ts")).openTextEncoder(config),
    },
    backbone: {
      description: "text to image",
      config: { ...LATENT_DEFAULTS, steps: 16_000, batch: 32, learningRate: 1e-3 },
      settings: LatentSettings,
      open: async (config, context) =>
        (await import("./tiny-stages.ts")).openBackbone(config, context),
    },
    "edit-adapter": {
      description: "an instruction and an input frame, on the frozen backbone",
      config: {
        ...LATENT_DEFAULTS,
        steps: 24_000,
        batch: 32,
        learningRate: 1e-3,
        stage: { dropCaption: 0.5, noiseBias: 1.5, changeWeight: 1 },
      },
      settings: EditAdapterSettings,
      open: async (config, context) =>
        (await import("./tiny-stages.ts")).openEditAdapter(config, context),
    },
    "video-adapter": {
      description: "motion from a caption and a first frame, on the frozen backbone",
      config: {
        ...LATENT_DEFAULTS,
        steps: 5000,
        batch: 4,
        learningRate: 1e-3,
        stage: { items: 3072, noiseBias: 1.5 },
      },
      settings: VideoAdapterSettings,
      open: async (config, context) =>
        (await import("./tiny-stages.ts")).openVideoAdapter(config, context),
    },
    decoder: {
      description:
        "the autoencoder's decoder, on by what the edit adapter draws; latents stay as they are",
      config: {
        steps: 4000,
        ...DRAWN_DEFAULTS,
        learningRate: 1e-3,
        precision: "bfloat16",
      },
      settings: DecoderSettings,
      open: async (config, context) =>
        (await import("./tiny-decoder.ts")).openDecoder(config, context),
    },
    "detail-gates": {
      description: "what edited pictures get back of their source, by what the edit adapter draws",
      config: {
        steps: 4000,
        ...DRAWN_DEFAULTS,
        learningRate: 3e-3,
        precision: "float32",
      },
      settings: DetailGatesSettings,
      open: async (config, context) =>
        (await import("./tiny-detail-gates.ts")).openDetailGates(config, context),
    },
    vision: {
      description: "what critics see with: the world's pictures without labels",
      config: {
        steps: 3000,
        batch: 64,
        learningRate: 2e-3,
        warmup: 100,
        schedule: "cosine",
        weightDecay: 0.04,
        betas: [0.9, 0.99],
        ema: 0,
        precision: "bfloat16",
        validateEvery: 500,
        sampleEvery: 0,
        seed: 1,
      },
      settings: VisionSettings,
      open: async (config, context) =>
        (await import("./tiny-stages.ts")).openVision(config, context),
    },
    distillation: {
      description: "both adapters aligned with each other by a LoRA (FDD), from unedited clips",
      config: {
        ...LATENT_DEFAULTS,
        steps: 72,
        batch: 4,
        learningRate: 1e-4,
        warmup: 20,
        weightDecay: 0,
        ema: 0.95,
        validateEvery: 36,
        stage: TINY_DISTILLATION,
      },
      settings: DistillationSettings,
      open: async (config, context) =>
        (await import("./tiny-distillation.ts")).openDistillation(config, context),
    },
    "style-adapter": {
      description: "a LoRA of the backbone that draws in a style held out of the world",
      config: { ...LATENT_DEFAULTS, steps: 600, batch: 32, learningRate: 1e-3, weightDecay: 0 },
      settings: StyleAdapterSettings,
      open: async (config, context) =>
        (await import("./tiny-look-adapters.ts")).openStyleAdapter(config, context),
    },
    "subject-adapter": {
      description: "a LoRA of the backbone that draws a thing held out of the world",
      config: { ...LATENT_DEFAULTS, steps: 600, batch: 32, learningRate: 1e-3, weightDecay: 0 },
      settings: SubjectAdapterSettings,
      open: async (config, context) =>
        (await import("./tiny-look-adapters.ts")).openSubjectAdapter(config, context),
    },
  },
};
