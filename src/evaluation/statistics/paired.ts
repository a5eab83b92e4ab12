import type { MethodName } from "../methods/method-names.ts";
import { METHODS } from "../methods/methods.ts";
import type { ClipScores } from "../scores/clip-scores.ts";
import { bootstrapInterval, mean, type Interval } from "./bootstrap.ts";
import type { TaskScores } from "./summary.ts";

/** A mean over clips with its 95 % bootstrap interval. */
export interface Estimated {
  readonly mean: number | null;
  readonly interval: Interval | null;
}

/** One method beside another on the same clips, with the same seeds. Differences are the first's minus the second's. */
export interface Comparison {
  readonly method: MethodName;
  readonly against: MethodName;
  readonly clips: number;
  /** Share of clips on which the first is nearer to the truth, by PSNR; a tie counts half. */
  readonly better: Estimated;
  /** In dB. */
  readonly psnr: Estimated;
  readonly success: Estimated;
  readonly steady: Estimated;
  readonly edited: Estimated;
  /** Mean flicker of the first by that of the second; null where the second has none. */
  readonly flickerRatio: number | null;
}

/** `method` beside every other of `names` that draws the same noise or none; what reads the truth is no rival. */
export function comparisonsWith(
  method: MethodName,
  names: readonly MethodName[],
  scoresOf: (name: MethodName) => readonly TaskScores[],
): Comparison[] {
  const { noise } = METHODS[method];
  const isRival = (name: MethodName): boolean =>
    name !== method && name !== "reconstruction" && [noise, null].includes(METHODS[name].noise);
  const beside = (against: MethodName): Comparison => ({
    method,
    against,
    ...compared(scoresOf(method), scoresOf(against)),
  });
  return names.filter(isRival).map(beside);
}

/** Compares clip by clip; both lists are of the same clips, in the same order. */
export function compared(
  own: readonly TaskScores[],
  other: readonly TaskScores[],
): Omit<Comparison, "method" | "against"> {
  const pairs = own.map(({ scores }, clip) => [scores, other[clip]!.scores] as const);
  const estimated = (of: (pair: readonly [ClipScores, ClipScores]) => number): Estimated => {
    const values = pairs.map(of);
    return { mean: mean(values), interval: bootstrapInterval(values) };
  };
  const difference = (of: (scores: ClipScores) => number | boolean | null): Estimated =>
    estimated(([first, second]) => Number(of(first)) - Number(of(second)));
  const flicker = (side: 0 | 1): number => mean(pairs.map((pair) => pair[side].flicker ?? 0)) ?? 0;
  return {
    clips: pairs.length,
    better: estimated(([first, second]) => (1 + Math.sign(first.psnr - second.psnr)) / 2),
    psnr: difference(({ psnr }) => psnr),
    success: difference(({ success }) => success),
    steady: difference(({ steady }) => steady),
    edited: difference(({ edited }) => edited),
    flickerRatio: flicker(1) === 0 ? null : flicker(0) / flicker(1),
  };
}
