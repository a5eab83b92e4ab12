import { z } from "zod";
import { ScheduleConfig } from "../diffusion/schedule.ts";

/** What `model.json` says of a model as a whole. */
export const ModelDescription = z.strictObject({
  /** Version of the folder's layout. */
  format: z.literal(1),
  /** The preset it was trained by. */
  name: z.string().min(1),
  /** Side of its square pictures, in pixels. */
  size: z.int().positive(),
  /** What the networks predict. */
  prediction: z.enum(["noise", "v", "x0"]),
  /** The noise schedule that all parts were trained on. */
  schedule: ScheduleConfig,
});
export type ModelDescription = z.infer<typeof ModelDescription>;
