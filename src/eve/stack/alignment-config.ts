import { z } from "zod";
import { networkSize } from "../../engine/config.ts";

/**
 * The LoRA `θ_align` (§3.1): it stands on the backbone alone.
 *
 * Deviation: rank and layers are not in the paper.
 */
export const AlignmentConfig = z.strictObject({
  rank: networkSize.default(32),
  /** The update is scaled by `alpha / rank`; null: by one. */
  alpha: z.number().positive().nullable().default(null),
  layers: z.enum(["attention", "transformer", "linear", "all"]).default("transformer"),
});
export type AlignmentConfig = z.infer<typeof AlignmentConfig>;

/** The shape of a style or subject adapter (§4.4): what the look is called, and the LoRA that draws it. */
export const LookAdapterConfig = z.strictObject({
  look: z.string().min(1),
  ...AlignmentConfig.shape,
});
export type LookAdapterConfig = z.infer<typeof LookAdapterConfig>;

/**
 * How strongly the video adapter speaks in the aligned student (`StackOptions`), from 0 to 1.
 *
 * Deviation: the paper's speaks as it was trained. A small video adapter, asked about much noise, repeats the first frame, and
 * talks the stack out of what the edit adapter knows.
 */
export const FixedVideoStrength = z.number().min(0).max(1).default(1);

/** What a distilled student is saved as: its kind, its shape, and whose student it is. */
export const AlignmentPart = z.discriminatedUnion("student", [
  z.strictObject({
    student: z.literal("aligned"),
    ...AlignmentConfig.shape,
    /** `learned`: as its weights say, place by place. */
    videoStrength: z.union([FixedVideoStrength, z.literal("learned")]).default(1),
    /** `learned`: how strongly the edit adapter speaks stands among its weights, place by place, too. */
    editStrength: z.enum(["trained", "learned"]).default("trained"),
    /** SHA-256 of the teachers' weight files. */
    teachers: z.string(),
  }),
  z.strictObject({ student: z.literal("unpretrained"), teachers: z.string() }),
]);
export type AlignmentPart = z.infer<typeof AlignmentPart>;
