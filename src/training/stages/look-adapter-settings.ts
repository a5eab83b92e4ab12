import { z } from "zod";
import { LOOK_NAMES } from "../../data/world/looks.ts";
import { AlignmentConfig } from "../../eve/stack/alignment-config.ts";

const COMMON = {
  /** The model folder whose finished parts are used. */
  model: z.string().default("models/tiny"),
  /** Pictures with the look. */
  items: z.int().positive().default(512),
  /** Pictures of the validation split that the loss is measured on. */
  held: z.int().positive().default(64),
  /** How often a caption is left out. */
  dropCaption: z.number().min(0).max(1).default(0.1),
  /** Rank and layers of the LoRA. */
  lora: AlignmentConfig.prefault({}),
  /** Folder for latents. */
  cache: z.string().default("runs/cache"),
};

/** Settings of the style adapter's stage. */
export const StyleAdapterSettings = z.strictObject({
  /** A style that nothing else was trained on. */
  style: z.enum(LOOK_NAMES.style).default("line-art"),
  ...COMMON,
});

/** Settings of the subject adapter's stage. */
export const SubjectAdapterSettings = z.strictObject({
  /** A thing that nothing else was trained on. */
  subject: z.enum(LOOK_NAMES.subject).default("toy-robot"),
  ...COMMON,
});

/** What both have in common. */
export const LookAdapterSettings = z.object(COMMON);
export type LookAdapterSettings = z.infer<typeof LookAdapterSettings>;
