import { gradients } from "../../engine/autodiff.ts";
import { dims } from "../../engine/axes.ts";
import { invariant } from "../../engine/errors.ts";
import type { Float } from "../../engine/tensor.ts";
import type { AdversarialConfig } from "./critic-config.ts";
import type { Scores, Sight } from "./critics.ts";

/** Sums over heads, as ADD does, the mean over batch and places. */
function overHeads(terms: Float<"b k n">): Float<""> {
  return terms.mean([0, 2]).sum();
}

/** `E[max(0, 1 − D(real))] + E[max(0, 1 + D(fake))]`: `L_D-Edit` or `L_D-Video` (§3.2), summed over heads. */
export function hingeLoss(real: Scores, fake: Scores): Float<""> {
  return overHeads(real.neg().add(1).relu()).add(overHeads(fake.add(1).relu()));
}

/** What the student minimises, `L_G-Edit` or `L_G-Video` (§3.2), summed over heads. */
export function generatorLoss(fake: Scores, form: AdversarialConfig["generator"]): Float<""> {
  switch (form) {
    case "linear":
      return overHeads(fake).neg();
    case "clipped":
      return overHeads(fake.add(1).relu()).neg();
  }
}

/**
 * R1 (Mescheder et al., 2018) at real samples: the mean over the batch of `‖∂D/∂tokens‖²`, with D the mean over places,
 * summed over heads.
 *
 * As in ADD it is taken at what the heads read: `tokens` are the leaves that `scores` were computed from. It can be
 * differentiated again, down to the heads' weights.
 */
export function r1Penalty(scores: Scores, tokens: readonly Float<"_ n d">[]): Float<""> {
  const { b } = dims(scores, "b _ _");
  // entries of the batch do not see each other, so the gradient of their sum holds each one's own
  const total = scores.mean([2]).sum();
  const squares = gradients(total, tokens, { createGraph: true }).map((slope) => {
    invariant(slope, "every head reads the tokens of its depth");
    return slope.square().sum();
  });
  return squares.reduce((sum, square) => sum.add(square)).div(b);
}

/** What one critic minimises, and what is watched of it. */
export interface CriticLoss {
  /** `L_D-Edit` or `L_D-Video`, and γ·R1 where γ is not 0. */
  readonly loss: Float<"">;
  /** The mean of D over the teacher's samples: 0 where the critic cannot tell, 1 and above where it can. */
  readonly real: number;
  /** The mean of D over the student's: 0 where the critic cannot tell, −1 and below where it can. */
  readonly fake: number;
  /** R1 before γ; 0 where it is left out. */
  readonly r1: number;
}

/**
 * One critic's side of an iteration (§3.2): `score` judges a teacher's samples and the student's.
 *
 * Both must have been seen without gradients: nothing but the critic's heads learns from this.
 */
export function criticLoss(
  score: (seen: Sight) => Scores,
  { real, fake }: { readonly real: Sight; readonly fake: Sight },
  { r1: gamma }: Pick<AdversarialConfig, "r1">,
): CriticLoss {
  const leaves = real.tokens.map((tokens) => tokens.detach().setRequiresGrad(gamma > 0));
  const high = score({ ...real, tokens: leaves });
  const low = score(fake);
  const hinge = hingeLoss(high, low);
  const watched = { real: high.mean().item(), fake: low.mean().item() };
  if (gamma === 0) return { loss: hinge, ...watched, r1: 0 };
  const penalty = r1Penalty(high, leaves);
  return { loss: hinge.addScaled(penalty, gamma), ...watched, r1: penalty.item() };
}
