import type { Task } from "../../data/world/tasks.ts";
import type { MethodName } from "../methods/method-names.ts";
import { METHODS } from "../methods/methods.ts";
import type { ClipScores } from "../scores/clip-scores.ts";
import { estimated, mean, type Estimated } from "./bootstrap.ts";
import { differenceRangeOf, type Figure } from "./summary.ts";

/** One method beside another on the same clips, with the same seeds. Differences are the first's minus the second's. */
export interface Comparison {
  readonly method: MethodName;
  readonly against: MethodName;
  readonly clips: number;
  /** Share of clips on which the first is nearer to the truth, by PSNR; a tie counts half. */
  readonly better: Estimated;
  /** In dB, as are the next two: of the changed region, and outside it, where a clip has them. */
  readonly psnr: Estimated;
  readonly psnrChanged: Estimated;
  readonly psnrKept: Estimated;
  readonly success: Estimated;
  readonly steady: Estimated;
  readonly edited: Estimated;
  readonly kept: Estimated;
  /** Mean flicker of the first by that of the second; null where the second has none. */
  readonly flickerRatio: number | null;
}

/** `method` beside every other of `names` that draws the same noise or none; what reads the truth is no rival. */
export function comparisonsWith(
  method: MethodName,
  names: readonly MethodName[],
  scoresOf: (name: MethodName) => readonly PairedScores[],
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

/** What of a clip's scores is compared, and of which task it is. */
export type PairedScores = Pick<ClipScores, Figure> & { readonly task: Task };
/** What clip by clip comes to, whatever the two are called. */
export type PairedFigures = Omit<Comparison, "method" | "against">;

/** Compares clip by clip; both lists are of the same clips, in the same order. */
export function compared(
  own: readonly PairedScores[],
  other: readonly PairedScores[],
): PairedFigures {
  const pairs = own.map((scores, clip) => [scores, other[clip]!] as const);
  // Both lists have the same number of clips of each task
  const strata = own.map(({ task }) => task);
  const difference = (of: Figure): Estimated =>
    estimated(
      pairs.map(([{ [of]: first }, { [of]: second }]) =>
        first === null || second === null ? null : Number(first) - Number(second),
      ),
      { strata, range: differenceRangeOf(of) },
    );
  const flicker = (side: 0 | 1): number => mean(pairs.map((pair) => pair[side].flicker ?? 0)) ?? 0;
  return {
    clips: pairs.length,
    better: estimated(
      pairs.map(([first, second]) => (1 + Math.sign(first.psnr - second.psnr)) / 2),
      { strata, range: [0, 1] },
    ),
    psnr: difference("psnr"),
    psnrChanged: difference("psnrChanged"),
    psnrKept: difference("psnrKept"),
    success: difference("success"),
    steady: difference("steady"),
    edited: difference("edited"),
    kept: difference("kept"),
    flickerRatio: flicker(1) === 0 ? null : flicker(0) / flicker(1),
  };
}
