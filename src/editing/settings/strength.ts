import type { Task } from "../../data/world/tasks.ts";
import type { Spacing } from "../../diffusion/timesteps.ts";

/** How much an edit may change, from least to most. */
export const STRENGTHS = ["keep", "balanced", "bold"] as const;
/** The name of how much an edit may change. */
export type Strength = (typeof STRENGTHS)[number];

/** The two scales of guidance (InstructPix2Pix): how closely to follow the words, and the input frame. */
export interface GuidanceScales {
  readonly text: number;
  readonly image: number;
}

/** How an edit is guided: by which scales, and above which time; at all times where there is none. */
export interface EditGuidance extends GuidanceScales {
  readonly above?: number | undefined;
}

/** The scale of the words that is usual with a model for some tasks; 1 for the others. */
export type TextGuidance = Readonly<Record<string, number>>;

/** What a strength means; chosen on validation clips, src/editing/README.md has the figures. */
const LADDER: Readonly<Record<Strength, GuidanceScales>> = {
  keep: { text: 0.6, image: 1 },
  balanced: { text: 1, image: 1 },
  bold: { text: 1.5, image: 1 },
};

/** The scales of a strength of a model; one that is given by itself stands in the place of the strength's. */
export function guidanceFor(
  strength: Strength,
  given: { readonly text?: number | undefined; readonly image?: number | undefined } = {},
  ladder: Readonly<Record<Strength, GuidanceScales>> = LADDER,
): GuidanceScales {
  const rung = ladder[strength];
  return { text: given.text ?? rung.text, image: given.image ?? rung.image };
}

/** How an edit is drawn: the scales of its settings count in multiples of what is usual for its task. */
export function editGuidance(
  { guidance: { text, image }, task }: { readonly guidance: GuidanceScales; readonly task: Task },
  {
    textGuidance,
    guidedAbove: above,
  }: {
    readonly textGuidance?: TextGuidance | undefined;
    readonly guidedAbove?: number | undefined;
  } = {},
): EditGuidance {
  return { text: text * (textGuidance?.[task] ?? 1), image, above };
}

/** How often the denoiser is asked in one guided step: branches of `guidedTwice` whose weight is 0 cost nothing. */
export function evaluationsPerStep({ text, image }: GuidanceScales): number {
  return [text, image - text, 1 - image].filter((weight) => weight !== 0).length;
}

/** How often it is asked in a step, in the mean of an edit's steps; as if all were guided where `spacing` does not tell times. */
export function meanEvaluations(guidance: EditGuidance, spacing: Spacing): number {
  const each = evaluationsPerStep(guidance);
  const { above } = guidance;
  if (above === undefined || typeof spacing === "string") return each;
  const guided = spacing.filter((t) => t > above).length;
  return (guided * each + spacing.length - guided) / spacing.length;
}
