import type { Denoiser } from "../../diffusion/denoiser.ts";
import { guidedAbove, guidedTwice } from "../../diffusion/guidance.ts";
import type { GuidedCondition } from "../settings/model.ts";
import type { EditGuidance } from "../settings/strength.ts";

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

/** A denoiser of edits, guided by the words and the input frame (InstructPix2Pix), where that is asked for; scales of 1 leave it as it is. */
export function guidedEdit(
  denoiser: Denoiser<GuidedCondition>,
  { withoutText, unconditional }: ConditionForms,
  { text, image, above }: EditGuidance,
): Denoiser<GuidedCondition> {
  const guided = guidedTwice(denoiser, {
    textScale: text,
    imageScale: image,
    withoutText: () => withoutText,
    unconditional: () => unconditional,
  });
  return guidedAbove(above, { guided, plain: denoiser });
}
