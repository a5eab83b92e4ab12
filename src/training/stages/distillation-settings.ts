import { z } from "zod";
import { DistillationConfig } from "../../eve/distillation-config.ts";

/** Settings of the distillation stage: the method's, and where its inputs and critics come from. */
export const DistillationSettings = DistillationConfig.extend({
  /** The model folder whose finished parts are used. */
  model: z.string().default("models/tiny"),
  /** Inputs to train on: clips, each with one instruction (§4: 1,600 videos, seven instructions for each). */
  items: z.int().positive().default(11_200),
  /** How often the output caption is left out, so that the editor works from the instruction alone. */
  dropCaption: z.number().min(0).max(1).default(0.1),
  /** The critics' Adam. Deviation: not in the paper; the moments are StyleGAN-T's. */
  critics: z
    .strictObject({
      learningRate: z.number().positive().default(2e-4),
      betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0, 0.99]),
    })
    .prefault({}),
  /** Folder for latents and what the teachers draw. */
  cache: z.string().default("runs/cache"),
});
export type DistillationSettings = z.infer<typeof DistillationSettings>;
