import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Prediction } from "./prediction.ts";

/** Takes something away from a condition: its text, its image, or both. */
export type Drop<Condition> = (condition: Condition) => Condition;

/** Classifier-free guidance by one scale. */
export interface GuidanceOptions<Condition> {
  /** w: 0 unconditional, 1 the plain prediction, more exaggerates the condition. */
  readonly scale: number;
  /** The unconditional form of a condition. */
  readonly unconditional: Drop<Condition>;
}

/** Classifier-free guidance by an image and a text. */
export interface TwoScaleOptions<Condition> {
  /** s_I: how closely to follow the image (Emu Video 2.0, Emu Edit 1.5). */
  readonly imageScale: number;
  /** s_T: how closely to follow the text (Emu Video 7.5, Emu Edit 5.0). */
  readonly textScale: number;
  /** The condition without its text: (I, 0). */
  readonly withoutText: Drop<Condition>;
  /** The condition without text and image: (0, 0). */
  readonly unconditional: Drop<Condition>;
}

/**
 * `X(0) + w·(X(p) − X(0))` (Ho and Salimans 2022).
 *
 * Scale 1 asks the network once, scale 0 asks it for the unconditional branch only.
 */
export function guided<Condition>(
  denoiser: Denoiser<Condition>,
  { scale, unconditional }: GuidanceOptions<Condition>,
): Denoiser<Condition> {
  const branches = [
    { weight: scale, of: identity },
    { weight: 1 - scale, of: unconditional },
  ];
  return mixture(denoiser, branches);
}

/**
 * `X(0,0) + s_I·(X(I,0) − X(0,0)) + s_T·(X(I,T) − X(I,0))` (InstructPix2Pix Eq. 3; Emu Video).
 *
 * Branches whose weight comes to 0 are not evaluated: two where s_I = 1 or s_I = s_T, one where both are 1.
 */
export function guidedTwice<Condition>(
  denoiser: Denoiser<Condition>,
  { imageScale, textScale, withoutText, unconditional }: TwoScaleOptions<Condition>,
): Denoiser<Condition> {
  const branches = [
    { weight: textScale, of: identity },
    { weight: imageScale - textScale, of: withoutText },
    { weight: 1 - imageScale, of: unconditional },
  ];
  return mixture(denoiser, branches);
}

/**
 * Guided at times above `above`, plain from there on: guidance decides what is drawn, and what is left of the noise is better
 * taken away without it (Kynkäänniemi et al. 2024, "Applying guidance in a limited interval"). Without `above` at all times.
 */
export function guidedAbove<Condition>(
  above: number | undefined,
  { guided: byGuidance, plain }: Readonly<Record<"guided" | "plain", Denoiser<Condition>>>,
): Denoiser<Condition> {
  if (above === undefined || byGuidance === plain) return byGuidance;
  return {
    predict: (xt, t, condition) => (t > above ? byGuidance : plain).predict(xt, t, condition),
  };
}

function identity<T>(value: T): T {
  return value;
}

interface Branch<Condition> {
  readonly weight: number;
  readonly of: Drop<Condition>;
}

/** The weighted sum of predictions; weights sum to 1, so it means the same in ε, v and x₀. */
function mixture<Condition>(
  denoiser: Denoiser<Condition>,
  branches: readonly Branch<Condition>[],
): Denoiser<Condition> {
  const used = branches.filter(({ weight }) => weight !== 0);
  if (used.length === 1 && used[0]?.of === identity) return denoiser;
  return {
    predict(xt, t, condition) {
      const terms = used.map(({ weight, of }) => ({
        weight,
        prediction: denoiser.predict(xt, t, of(condition)),
      }));
      const sum = (half: keyof Prediction): Float =>
        terms
          .map(({ weight, prediction }) => prediction[half].mul(weight))
          .reduce((total, term) => total.add(term));
      return { x0: sum("x0"), noise: sum("noise") };
    },
  };
}
