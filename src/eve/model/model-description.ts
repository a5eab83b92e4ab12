import { z } from "zod";
import { ScheduleConfig } from "../../diffusion/schedule.ts";

/** How a model is sampled from where nobody asks for anything else; found on validation clips. */
export const SamplingDefaults = z.strictObject({
  /** The times that are visited, falling: as many steps. A sampler spreads those of other numbers of steps itself. */
  times: z
    .array(z.int().nonnegative())
    .min(1)
    .refine(
      (times) => times.every((t, i) => i === 0 || t < times[i - 1]!),
      "expected falling times",
    ),
  /** From 0, no noise at all, to 1. */
  temperature: z.number().min(0).max(1),
  /**
   * The scale of the words for some tasks, 1 for the others: a network that is unsure of a small edit leaves things as they are,
   * and guidance makes more of what it is half sure of. Deviation: Emu Edit guides all edits alike; the paper does not say.
   */
  textGuidance: z.record(z.string(), z.number().positive().max(30)).optional(),
  /**
   * The time above which guidance acts, of whatever scale; at it and below edits are drawn by the plain prediction. Absent: it
   * acts at all times. Deviation: Emu Edit guides every step.
   */
  guidedAbove: z.int().nonnegative().optional(),
});
export type SamplingDefaults = z.infer<typeof SamplingDefaults>;

/** What `model.json` says of a model as a whole. */
export const ModelDescription = z.strictObject({
  /** Version of the folder's layout. */
  format: z.literal(1),
  /** The preset it was trained by. */
  name: z.string().min(1),
  /** Side of its square pictures, in pixels; what autoencoder and backbone halve, it has to divide by. */
  size: z.int().positive().max(8192),
  /** What the networks predict. */
  prediction: z.enum(["noise", "v", "x0"]),
  /** The noise schedule that all parts were trained on. */
  schedule: ScheduleConfig,
  /** Absent: two steps, spread evenly, at temperature 1. */
  sampling: SamplingDefaults.optional(),
});
export type ModelDescription = z.infer<typeof ModelDescription>;
