import { z } from "zod";

const count = z.int().positive();
const strength = z.number().min(0).max(1);

/**
 * The shape of a critic's trained heads, one per depth.
 *
 * Deviation: sizes and depths are not in the paper. The depths are StyleGAN-T's for 12 layers: the patches
 * themselves, and every third layer.
 */
export const CriticConfig = z.strictObject({
  /** Layers of the vision transformer after which a head reads; 0 is the patches with their places. */
  depths: z.array(z.int().nonnegative()).min(1).default([0, 3, 6, 9, 12]),
  /** Features that pictures and words are projected to. */
  channels: count.default(64),
  /** Heads of each attention. */
  heads: count.default(4),
  /** Width of the text encoder's token features. */
  textFeatures: count.default(768),
  /** Side that frames are brought to first, in pixels; null leaves them as they come. */
  size: count.nullable().default(null),
});
export type CriticConfig = z.infer<typeof CriticConfig>;

/** The adversarial losses (§3.2) where the paper leaves them open. */
export const AdversarialConfig = z.strictObject({
  /**
   * `linear`: `−E[D]`, as in ADD; `clipped`: `−E[max(0, 1 + D)]`, as the paper prints it.
   *
   * Deviation: the printed form has no gradient wherever D < −1, where a student needs it most.
   */
  generator: z.enum(["linear", "clipped"]).default("linear"),
  /**
   * γ of the R1 penalty on what the critics' heads read, which is part of `criticEdit` and `criticVideo`; 0 leaves it out, as the
   * paper does. ADD: 1e-5.
   */
  r1: z.number().nonnegative().default(0),
});
export type AdversarialConfig = z.infer<typeof AdversarialConfig>;

/** How strongly pictures are changed before the critics see them; 0 leaves that part out. */
export const AugmentationConfig = z.strictObject({
  /** Brightness within ±half of it, contrast within ±half, saturation within ± all of it. */
  colour: strength.default(0.5),
  /** Largest shift, as a share of each side; what is moved in is grey. */
  translation: strength.default(0.125),
  /** Sides of the grey rectangle, as a share of each side. */
  cutout: strength.default(0.25),
});
export type AugmentationConfig = z.infer<typeof AugmentationConfig>;
