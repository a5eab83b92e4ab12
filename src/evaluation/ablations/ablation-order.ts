import { estimated, mean, type Estimated } from "../statistics/bootstrap.ts";
import { estimateCells, figure, percent } from "../statistics/cells.ts";
import type { ScoredClip } from "../statistics/scored-clip.ts";
import { differenceRangeOf, type Figure } from "../statistics/summary.ts";
import {
  byRunOf,
  clipsOf,
  NOISES,
  valuesOf,
  type AblationRun,
  type ByRun,
  type Noise,
} from "./ablation-table.ts";

/** Whether one ablation came out better than another, as it was expected to. Differences are the first's minus the second's. */
export interface OrderFinding {
  readonly noise: Noise;
  readonly better: string;
  readonly worse: string;
  /** Clips that both were measured on. */
  readonly clips: number;
  /**
   * Seeds that both were distilled with, whose runs are compared; of what is not trained every seed of the other. Empty where
   * they have none in common: all runs of the one are set beside all of the other then.
   */
  readonly seeds: readonly (number | null)[];
  readonly success: Estimated;
  readonly steady: Estimated;
  /** In dB. */
  readonly psnr: Estimated;
  /** The same of each of `seeds`, and their deviation: what the intervals, which are over clips, do not cover. */
  readonly bySeed: Readonly<Record<"success" | "psnr", ByRun>>;
  /** By the interval of the difference of success: on one side of zero, or across it; null without an interval. */
  readonly verdict: Verdict | null;
  /** By that of PSNR, which tells apart on few clips what success does not. */
  readonly psnrVerdict: Verdict | null;
}

type Verdict = "holds" | "reversed" | "not told apart";

/** Checks an expected order pair by pair, seed by seed and clip by clip; pairs that were not run are left out. */
export function orderFindings(
  order: readonly (readonly [better: string, worse: string])[],
  runs: ReadonlyMap<string, readonly AblationRun[]>,
): OrderFinding[] {
  return NOISES.flatMap((noise) =>
    order.flatMap(([better, worse]) => {
      const pairs = runPairs(runs.get(better) ?? [], runs.get(worse) ?? [], noise);
      const found = findingOf(pairs);
      return found === null ? [] : [{ noise, better, worse, ...found }];
    }),
  );
}

/** A clip as two runs edited it. */
interface ClipPair {
  readonly name: string;
  readonly own: readonly ScoredClip[];
  readonly other: readonly ScoredClip[];
}

/** Two runs on the clips that both were measured on. */
interface RunPair {
  /** Null where nothing was trained in either, undefined where each has a seed of its own. */
  readonly seed: number | null | undefined;
  readonly clips: readonly ClipPair[];
}

/** Runs with the same seed beside each other, and with what has none; each beside each where no seed is common. */
function runPairs(
  first: readonly AblationRun[],
  second: readonly AblationRun[],
  noise: Noise,
): RunPair[] {
  const all = first.flatMap((own) => second.map((other) => [own, other] as const));
  const matching = all.filter(
    ([own, other]) => own.seed === null || other.seed === null || own.seed === other.seed,
  );
  return (matching.length > 0 ? matching : all)
    .map(([own, other]) => ({
      seed: matching.length > 0 ? (own.seed ?? other.seed) : undefined,
      clips: clipPairs(clipsOf([own], noise), clipsOf([other], noise)),
    }))
    .filter(({ clips }) => clips.length > 0);
}

function clipPairs(
  first: ReadonlyMap<string, readonly ScoredClip[]>,
  second: ReadonlyMap<string, readonly ScoredClip[]>,
): ClipPair[] {
  return [...first].flatMap(([name, own]) => {
    const other = second.get(name);
    return other === undefined ? [] : [{ name, own, other }];
  });
}

type Found = Omit<OrderFinding, "noise" | "better" | "worse">;

/** What all pairs of runs come to; null of none. */
function findingOf(pairs: readonly RunPair[]): Found | null {
  const byClip = [
    ...Map.groupBy(
      pairs.flatMap(({ clips }) => clips),
      ({ name }) => name,
    ).values(),
  ];
  if (byClip.length === 0) return null;
  const strata = byClip.map(([first]) => first!.own[0]!.task);
  const difference = (of: Figure): Estimated =>
    estimated(
      byClip.map((same) => meanDifference(same, of)),
      { strata, range: differenceRangeOf(of) },
    );
  const seeds = pairs.flatMap(({ seed }) => (seed === undefined ? [] : [seed]));
  const bySeed = (of: Figure): ByRun =>
    byRunOf(seeds.length === 0 ? [] : pairs.map(({ clips }) => meanDifference(clips, of)));
  const success = difference("success");
  const psnr = difference("psnr");
  return {
    clips: byClip.length,
    seeds,
    success,
    steady: difference("steady"),
    psnr,
    bySeed: { success: bySeed("success"), psnr: bySeed("psnr") },
    verdict: verdict(success),
    psnrVerdict: verdict(psnr),
  };
}

function meanDifference(clips: readonly ClipPair[], of: Figure): number | null {
  return mean(
    clips.flatMap((pair) => {
      const [own, other] = [pair.own, pair.other].map((same) => mean(valuesOf(same, of)));
      return own === null || other === null ? [] : own! - other!;
    }),
  );
}

/** What means of equal figures may differ by. */
const ROUNDING = 1e-9;

function verdict({ interval }: Estimated): Verdict | null {
  if (interval === null) return null;
  const [low, high] = interval;
  if (low > ROUNDING) return "holds";
  return high < -ROUNDING ? "reversed" : "not told apart";
}

/** The findings as cells under headings; `title` gives a row's name in the table. */
export function orderTable(
  findings: readonly OrderFinding[],
  title: (name: string) => string,
): string[][] {
  return [
    ["expected", "noise", "clips", "seeds", ...QUANTITIES, "by success", "by PSNR"],
    ...findings.map((finding) => {
      const { bySeed } = finding;
      return [
        `${title(finding.better)} > ${title(finding.worse)}`,
        finding.noise,
        String(finding.clips),
        seedsText(finding.seeds),
        ...estimateCells(finding.success, percent),
        percent(bySeed.success.deviation),
        ...estimateCells(finding.steady, percent),
        ...estimateCells(finding.psnr, figure),
        figure(bySeed.psnr.deviation),
        verdictText(finding.verdict, bySeed.success),
        verdictText(finding.psnrVerdict, bySeed.psnr),
      ];
    }),
  ];
}

const QUANTITIES = [
  ["success +%", "95 %", "± seeds"],
  ["steady +%", "95 %"],
  ["PSNR +dB", "95 %", "± seeds"],
].flat();

function seedsText(seeds: readonly (number | null)[]): string {
  if (seeds.length === 0) return "none in common";
  return seeds.map((seed) => seed ?? "–").join(", ");
}

/** The verdict, and of how many seeds it is true where there are several. */
function verdictText(found: Verdict | null, { values }: ByRun): string {
  if (found === null) return "–";
  if (found === "not told apart" || values.length < 2) return found;
  const sign = found === "holds" ? 1 : -1;
  const agreeing = values.filter((value) => value !== null && sign * value > ROUNDING);
  return `${found}, with ${agreeing.length} of ${values.length} seeds`;
}
