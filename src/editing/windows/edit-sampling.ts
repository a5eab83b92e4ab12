import type { Denoiser } from "../../diffusion/denoiser.ts";
import { guidedAbove, guidedTwice } from "../../diffusion/guidance.ts";
import { ddim, dpmSolver, type Sampling } from "../../diffusion/samplers.ts";
import type { Float } from "../../engine/tensor.ts";
import type { EditingModel, GuidedCondition } from "../settings/model.ts";
import { editSpacing, type ResolvedSettings } from "../settings/settings.ts";
import { editGuidance } from "../settings/strength.ts";

/** Of an edit's settings, those that say how it is sampled. */
export type SamplingSettings = Pick<
  ResolvedSettings,
  "steps" | "sampler" | "temperature" | "guidance" | "task"
>;

/** A condition in the forms that guidance asks for. */
export interface ConditionForms {
  readonly full: GuidedCondition;
  readonly withoutText: GuidedCondition;
  readonly unconditional: GuidedCondition;
}

/** Prepared at once, so that all their tensors are held together. */
export function inAllForms(full: GuidedCondition): ConditionForms {
  const withoutText = full.withoutText();
  return { full, withoutText, unconditional: withoutText.withoutImage() };
}

/**
 * A denoiser of edits, guided by the words and the input frame (InstructPix2Pix) as its settings and `model` ask for; scales of
 * 1 leave it as it is.
 */
export function guidedEdit(
  denoiser: Denoiser<GuidedCondition>,
  { withoutText, unconditional }: ConditionForms,
  settings: Pick<SamplingSettings, "guidance" | "task">,
  model: Pick<EditingModel, "defaults">,
): Denoiser<GuidedCondition> {
  const { text, image, above } = editGuidance(settings, model.defaults);
  const guided = guidedTwice(denoiser, {
    textScale: text,
    imageScale: image,
    withoutText: () => withoutText,
    unconditional: () => unconditional,
  });
  return guidedAbove(above, { guided, plain: denoiser });
}

/** What is to be sampled. */
interface Sampled {
  readonly denoiser: Denoiser<GuidedCondition>;
  readonly noise: Float<"f c h w">;
  readonly condition: GuidedCondition;
}

/** An edit's sampling from `noise`, step by step. */
export function editSampling(
  { denoiser, noise, condition }: Sampled,
  settings: SamplingSettings,
  model: Pick<EditingModel, "schedule" | "defaults">,
): Sampling {
  const { steps, sampler } = settings;
  const spacing = editSpacing(settings, model);
  return solverOf(sampler)(denoiser, noise, condition, {
    schedule: model.schedule,
    steps,
    spacing,
  });
}

/** The solver that a setting names. */
export function solverOf(sampler: SamplingSettings["sampler"]): typeof ddim | typeof dpmSolver {
  return sampler === "ddim" ? ddim : dpmSolver;
}
