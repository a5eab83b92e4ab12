import type { z } from "zod";
import { OPEN_NAME } from "../eve/open/open-name.ts";
import type { Preset } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import type { OpenWeightsSource } from "./open-needs.ts";

/** Guidance of public networks: they were trained to be guided by words, and have no scale for pictures. */
const GUIDED = { image: 1, text: 7.5 };

/**
 * Where distillation of the public networks departs from the defaults.
 *
 * Deviation: the paper's teachers are Emu's, and an iteration has 64 clips (§4). A model of this size at 512 pixels draws one
 * clip at a time, and an iteration has one; the backbone reads the instruction where the caption is left out, as the editor
 * does; critics see pictures at DINOv2's scale.
 */
const OPEN_DISTILLATION = {
  model: OPEN_NAME,
  items: null,
  samples: { steps: 20, atOnce: 1, guideEdit: GUIDED, guideVideo: GUIDED },
  scoreDistillation: { guideEdit: GUIDED, guideVideo: GUIDED },
  withoutCaption: "instruction",
  heads: { size: 224 },
  recompute: "layers",
  watchEvery: 0,
} satisfies z.input<typeof DistillationSettings>;

/** Public weights at full size: Stable Diffusion 1.5, a ControlNet for instructions, AnimateDiff and SparseCtrl. */
export function openPreset(source: OpenWeightsSource): Preset {
  return {
    name: OPEN_NAME,
    description: "512x512, public weights at full size; for a GPU of 80 GB",
    stages: {
      distillation: {
        description: "ControlNet and motion modules aligned by a LoRA (FDD), from unedited clips",
        config: {
          steps: 1500,
          batch: 1,
          learningRate: 1e-5,
          weightDecay: 0,
          betas: [0.9, 0.99],
          ema: 0.99,
          precision: "bfloat16",
          validateEvery: 250,
          sampleEvery: 250,
          seed: 1,
          stage: OPEN_DISTILLATION,
        },
        settings: DistillationSettings,
        open: async (config, context) =>
          (await import("./open-distillation.ts")).openPublicDistillation(config, context, source),
      },
    },
  };
}
