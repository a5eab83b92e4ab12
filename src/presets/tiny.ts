import type { Preset } from "../training/stage.ts";

/** The model that ships: 128×128 pixels, trained from nothing on the generated world. */
export const tiny: Preset = {
  name: "tiny",
  description: "128x128, trained from nothing on the generated world; edits in seconds on two cores",
  stages: {
    autoencoder: {
      description: "pixels to latents and back",
      config: {
        steps: 4500,
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
      open: async (config, context) => (await import("./tiny-stages.ts")).openAutoencoder(config, context),
    },
  },
};
