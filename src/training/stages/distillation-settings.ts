import { z } from "zod";
import {
  AdversarialConfig,
  AugmentationConfig,
  CriticConfig,
} from "../../eve/critics/critic-config.ts";
import {
  DistillationConfig,
  distillationWeights,
} from "../../eve/distillation/distillation-config.ts";

/** Settings of the distillation stage: the method's, and where its inputs and critics come from. */
export const DistillationSettings = DistillationConfig.extend({
  /** The model folder whose finished parts are used. */
  model: z.string().default("models/tiny"),
  /**
   * Which adapter is aligned with the edit adapter; null: the video adapter. Another combination (§4.4) is named
   * `style:<name>` or `subject:<name>`, and is of single pictures.
   */
  combine: z
    .string()
    .regex(/^(style|subject):[\w-]+$/, "expected style:<name> or subject:<name>")
    .nullable()
    .default(null),
  /**
   * The pictures that another combination edits. `drawn`: by the look's own teacher, from captions (§4.4: no picture is
   * needed). `pictures`: the world's, as the look's adapter learned from.
   *
   * Deviation: `pictures` is not in the paper; what a weak backbone draws has nothing in it that an edit could keep.
   */
  combineInputs: z.enum(["drawn", "pictures"]).default("drawn"),
  /** A data set of one's own ("eve data prepare", "eve data instruct"); null: the generated world. */
  data: z.string().nullable().default(null),
  /** What the data set has to be, as `dataDigest` tells; null: whatever is there. */
  dataDigest: z.string().nullable().default(null),
  /**
   * Inputs to train on: clips, each with one instruction (§4: 1,600 videos, seven instructions for each). Of a data set,
   * null takes all that are not held out.
   */
  items: z.int().positive().nullable().default(11_200),
  /** Inputs of the validation split, or held out of the data set, that losses are measured on; some are drawn. */
  held: z.int().positive().default(21),
  /**
   * How often the output caption is left out, so that the editor works from the instruction alone.
   *
   * Deviation: the paper does not say. What critics are shown as real was drawn with the caption all the same.
   */
  dropCaption: z.number().min(0).max(1).default(0.1),
  /** What the backbone reads then, as in use: no words, or the instruction. */
  withoutCaption: z.enum(["nothing", "instruction"]).default("nothing"),
  /** The step from which the critics judge; null: after two thirds of the run, as in §4 (1000 of 1500). */
  adversarialFrom: z.int().nonnegative().nullable().default(null),
  /** The critics' Adam. Deviation: not in the paper; the moments are StyleGAN-T's. */
  critics: z
    .strictObject({
      learningRate: z.number().positive().default(2e-4),
      betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0, 0.99]),
    })
    .prefault({}),
  /** The critics' heads; how wide words are is the text encoder's affair. */
  heads: CriticConfig.omit({ textFeatures: true }).prefault({}),
  adversarial: AdversarialConfig.prefault({}),
  /** What is done to pictures before the critics see them. */
  augmentation: AugmentationConfig.prefault({}),
  /**
   * Steps between those in which the gradient of each term at the student's edit is measured; 0: never. Critics are
   * shown the edit one by one then. On a GPU it is never measured.
   */
  watchEvery: z.int().nonnegative().default(25),
  /** Folder for latents and what the teachers draw. */
  cache: z.string().default("runs/cache"),
}).refine(hasWeight, {
  message: "alpha, beta and lambda leave none of the run's terms any weight",
  path: ["alpha"],
});
export type DistillationSettings = z.infer<typeof DistillationSettings>;

/** Whether any term of the student's loss counts. */
function hasWeight(
  config: Pick<DistillationConfig, "terms" | "alpha" | "beta" | "lambda">,
): boolean {
  const weights = distillationWeights(config);
  return config.terms.some((term) => weights[term]! > 0);
}

/** The step from which the critics judge in a run of `steps`. */
export function judgedFrom(
  { adversarialFrom }: Pick<DistillationSettings, "adversarialFrom">,
  steps: number,
): number {
  return adversarialFrom ?? Math.floor((2 * steps) / 3);
}

/** Whether critics take part. */
export function hasCritics({ terms }: Pick<DistillationSettings, "terms">): boolean {
  return terms.some((term) => term.startsWith("gen"));
}
