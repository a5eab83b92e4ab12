import { z } from "zod";
import { HELD_OUT_STYLES } from "../../data/world/held-out-styles.ts";
import { AlignmentConfig } from "../../eve/distillation-config.ts";

/** Settings of the style adapter's stage. */
export const StyleAdapterSettings = z.strictObject({
  /** A style that nothing else was trained on. */
  style: z.enum(HELD_OUT_STYLES).default("line-art"),
  /** The model folder whose finished parts are used. */
  model: z.string().default("models/tiny"),
  /** Pictures in the style. */
  items: z.int().positive().default(512),
  /** Pictures of the validation split that the loss is measured on. */
  held: z.int().positive().default(64),
  /** How often a caption is left out. */
  dropCaption: z.number().min(0).max(1).default(0.1),
  /** Rank and layers of the LoRA. */
  lora: AlignmentConfig.prefault({}),
  /** Folder for latents. */
  cache: z.string().default("runs/cache"),
});
export type StyleAdapterSettings = z.infer<typeof StyleAdapterSettings>;
