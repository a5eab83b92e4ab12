import { z } from "zod";
import { FULL_TEMPERATURE } from "../../diffusion/temperature.ts";
import { AlignmentConfig, FixedVideoStrength } from "../stack/alignment-config.ts";

/**
 * How much faster than the LoRA the student learns how strongly it hears the video adapter, at each of that adapter's
 * places: a factor of the learning rate, for these numbers are near one and the LoRA's near nothing. 0: they stay at
 * `videoStrength`. Other combinations (§4.4) have no such adapter and learn how strongly to hear the edit adapter, from one.
 *
 * Deviation: the paper learns a LoRA alone.
 */
const strengthRate = z.number().nonnegative().default(0);

/** How much of the noise samples start from (`diffusion/temperature.ts`). Deviation: the paper's start from all of it. */
const temperature = z.number().min(0).max(1).default(FULL_TEMPERATURE);

/** How the student's sample is drawn in training (§3.3). */
export const KBinConfig = z.strictObject({
  /** k: bins of the schedule, and steps of the student (§3.3: 3, for more did not fit into memory). */
  bins: z.int().positive().default(3),
  /** `random`: a new time in each bin every iteration; `fixed`: always its noisiest, the ablation "w/o K-Bin". */
  times: z.enum(["random", "fixed"]).default("random"),
  /**
   * Where the noisiest bin ends: a student in use without noise may begin below the end of the schedule; null: at T − 1.
   */
  from: z.int().nonnegative().nullable().default(null),
  /**
   * Where pure noise is put in: `drawn`: at the time drawn in the noisiest bin; `end`: always at the end of that bin.
   *
   * Deviation: §3.3 does not say. `drawn` is its wording taken literally; with `end` the first step sees what it
   * sees in use.
   */
  start: z.enum(["drawn", "end"]).default("drawn"),
});
export type KBinConfig = z.infer<typeof KBinConfig>;

const share = z.number().gt(0).lt(1);

/** How a teacher is guided while it scores: scales of classifier-free guidance, 1 for none. */
const guidance = (image: number, text: number) =>
  z
    .strictObject({
      image: z.number().min(0).default(image),
      text: z.number().min(0).default(text),
    })
    .prefault({});

/** Guidance of the edit teacher (Emu Edit's); image: how closely to follow the input frame. */
const guideEdit = guidance(1.5, 5);
/** Guidance of the video teacher (Emu Video's); image: how closely to follow the first frame. */
const guideVideo = guidance(2, 7.5);

/**
 * What the paper leaves open of `L_SDS` (§3.2).
 *
 * Deviation: `c(t)`, the range of t and the teachers' guidance are not in the paper. The defaults are DreamFusion's
 * weight and times, and the guidance that Emu Edit and Emu Video sample with.
 */
export const ScoreDistillationConfig = z.strictObject({
  /** c(t): 1, σ(t)², or α(t)·σ(t). */
  weight: z.enum(["one", "sigmaSquared", "alphaSigma"]).default("sigmaSquared"),
  /** The least and the greatest t, as shares of T; drawn uniformly. */
  times: z
    .tuple([share, share])
    .refine(([first, last]) => first <= last, "the first time must not be after the last")
    .default([0.02, 0.98]),
  /**
   * Noised samples that each of the student's edits is scored on, in pairs of opposite noise. More make the gradient
   * steadier for the price of the frozen teachers' evaluations alone: the student draws once.
   *
   * Deviation: the paper does not say; one is the usual estimate.
   */
  draws: z.int().positive().default(1),
  guideEdit,
  guideVideo,
});
export type ScoreDistillationConfig = z.infer<typeof ScoreDistillationConfig>;

/** What the teachers draw beforehand by DDIM: the edited first frames, and the critics' real samples (§3.2, §4). */
export const TeacherSampleConfig = z.strictObject({
  /** Steps of DDIM. Deviation: not in the paper. */
  steps: z.int().positive().default(20),
  /** The times of that many steps, falling; null, or others than `steps`: evenly spread. */
  times: z.array(z.int().nonnegative()).min(1).nullable().default(null),
  temperature,
  /** Clips that are drawn at once, whose number decides their noise: fewer take less memory, and less time to stop. */
  atOnce: z.int().positive().default(8),
  guideEdit,
  guideVideo,
});
export type TeacherSampleConfig = z.infer<typeof TeacherSampleConfig>;

/**
 * The terms of the student's loss (§3.2): `L_SDS-Edit`, `L_SDS-Video`, `L_G-Edit`, `L_G-Video`.
 *
 * A critic learns where its `gen` term is among them.
 */
export const TERMS = ["sdsEdit", "sdsVideo", "genEdit", "genVideo"] as const;
/** The name of a term of the student's loss. */
export type Term = (typeof TERMS)[number];

/** Factorized Diffusion Distillation as a whole (§3, §4): everything but data, networks and the optimizer. */
export const DistillationConfig = z.strictObject({
  /** `aligned`: both adapters and a LoRA; `unpretrained`: fresh adapters, all trained, the ablation "Random Init". */
  student: z.enum(["aligned", "unpretrained"]).default("aligned"),
  alignment: AlignmentConfig.prefault({}),
  videoStrength: FixedVideoStrength,
  strengthRate,
  kBin: KBinConfig.prefault({}),
  scoreDistillation: ScoreDistillationConfig.prefault({}),
  samples: TeacherSampleConfig.prefault({}),
  terms: z
    .array(z.enum(TERMS))
    .min(1)
    .default([...TERMS]),
  /** The step from which the critics judge (§4: 1000 of 1500). Without SDS they judge from the start. */
  adversarialFrom: z.int().nonnegative().default(1000),
  /** Steps before that in which the critics already learn. */
  criticWarmup: z.int().nonnegative().default(0),
  /** Weight of everything that judges edits (§4). */
  alpha: z.number().nonnegative().default(0.5),
  /** Weight of everything that judges video (§4). */
  beta: z.number().nonnegative().default(0.5),
  /** Weight of score distillation beside the critics (§4). */
  lambda: z.number().nonnegative().default(2.5),
  /** What the student's noise is multiplied by, as in use. */
  temperature,
  /** Whether a clip's frames start from noise of their own, from one, or every other batch from one. */
  noise: z.enum(["independent", "shared", "both"]).default("independent"),
  /**
   * Whether the backward pass evaluates the student's steps and the decoder once more, so that memory need not hold
   * their intermediates: `true`, step by step, or `layers`, layer by layer, of which large networks need less. Nothing but
   * memory and time depends on it.
   */
  recompute: z
    .union([z.boolean(), z.literal("layers")], 'expected true, false or "layers"')
    .default(true),
  /**
   * Whether the student's first frame is the edited first frame, as in use, and only those behind it are drawn.
   *
   * Deviation: the paper conditions on that frame and does not say whether it is drawn again.
   */
  holdFirstFrame: z.boolean().default(true),
});
export type DistillationConfig = z.infer<typeof DistillationConfig>;

/**
 * Factor of each term: `α·(L_G-Edit + λ·L_SDS-Edit) + β·(L_G-Video + λ·L_SDS-Video)`, and for the critics
 * `α·L_D-Edit + β·L_D-Video` (§3.2); 0 for what is only watched.
 */
export function distillationWeights({
  alpha,
  beta,
  lambda,
}: Pick<DistillationConfig, "alpha" | "beta" | "lambda">): Readonly<Record<string, number>> {
  return {
    sdsEdit: alpha * lambda,
    sdsVideo: beta * lambda,
    genEdit: alpha,
    genVideo: beta,
    criticEdit: alpha,
    criticVideo: beta,
    realEdit: 0,
    fakeEdit: 0,
    realVideo: 0,
    fakeVideo: 0,
    r1Edit: 0,
    r1Video: 0,
    videoStrength: 0,
    editStrength: 0,
  };
}
