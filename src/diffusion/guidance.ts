import { dispatch, type Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { targetFor, toPrediction, type Prediction } from "./prediction.ts";
import type { Schedule } from "./schedule.ts";

/** Takes something away from a condition: its text, its image, or both. */
export type Drop<Condition> = (condition: Condition) => Condition;

/** Keeps strong guidance from overexposing (Lin et al. 2023, §3.4). */
export interface Rescale {
  /** From 0 (off) to 1 (the contrast of the conditional prediction); Lin et al. use 0.7. */
  readonly factor: number;
  readonly schedule: Schedule;
}

/** Classifier-free guidance by one scale. */
export interface GuidanceOptions<Condition> {
  /** w: 0 unconditional, 1 the plain prediction, more exaggerates the condition. */
  readonly scale: number;
  /** The unconditional form of a condition. */
  readonly unconditional: Drop<Condition>;
  readonly rescale?: Rescale;
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
  readonly rescale?: Rescale;
}

/**
 * `X(0) + w·(X(p) − X(0))` (Ho and Salimans 2022).
 *
 * Scale 1 asks the network once, scale 0 asks it for the unconditional branch only.
 */
export function guided<Condition>(
  denoiser: Denoiser<Condition>,
  { scale, unconditional, rescale }: GuidanceOptions<Condition>,
): Denoiser<Condition> {
  const branches = [
    { weight: scale, of: identity },
    { weight: 1 - scale, of: unconditional },
  ];
  return mixture(denoiser, branches, rescale);
}

/**
 * `X(0,0) + s_I·(X(I,0) − X(0,0)) + s_T·(X(I,T) − X(I,0))` (Emu Video §3.2; InstructPix2Pix Eq. 3).
 *
 * Branches whose weight comes to 0 are not evaluated: two where s_I = 1 or s_I = s_T, one where both are 1.
 */
export function guidedTwice<Condition>(
  denoiser: Denoiser<Condition>,
  { imageScale, textScale, withoutText, unconditional, rescale }: TwoScaleOptions<Condition>,
): Denoiser<Condition> {
  const branches = [
    { weight: textScale, of: identity },
    { weight: imageScale - textScale, of: withoutText },
    { weight: 1 - imageScale, of: unconditional },
  ];
  return mixture(denoiser, branches, rescale);
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
  rescale: Rescale | undefined,
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
      const mixed = { x0: sum("x0"), noise: sum("noise") };
      const conditional = used[0]?.of === identity ? terms[0]?.prediction : undefined;
      if (!rescale || rescale.factor === 0 || !conditional) return mixed;
      return rescaled(mixed, { conditional, xt, t, rescale });
    },
  };
}

/** Standard deviation of every batch entry, `[b 1 1 …]`. */
function spread(x: Float<"b ...">): Float<"b ..."> {
  const axes = x.shape.slice(1).map((_, index) => index + 1);
  return dispatch("aten::std.dim", x, axes, true, true);
}

/** Moves the contrast of v towards the conditional prediction's (Lin et al. 2023, Eq. 14–16). */
function rescaled(
  mixed: Prediction,
  {
    conditional,
    xt,
    t,
    rescale: { factor, schedule },
  }: { conditional: Prediction; xt: Float<"b ...">; t: number; rescale: Rescale },
): Prediction {
  const v = targetFor("v", mixed, t, schedule);
  const wanted = spread(targetFor("v", conditional, t, schedule));
  const gain = wanted
    .div(spread(v))
    .mul(factor)
    .add(1 - factor);
  return toPrediction("v", v.mul(gain), { xt, t, schedule });
}
