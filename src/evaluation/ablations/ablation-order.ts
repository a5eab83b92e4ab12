import { estimated, mean, type Estimated } from "../statistics/bootstrap.ts";
import { estimateCells, figure, percent } from "../statistics/cells.ts";
import { differenceRangeOf, type Figure } from "../statistics/summary.ts";
import { clipsOf, NOISES, valuesOf, type AblationRun, type Noise } from "./ablation-table.ts";

/** Whether one ablation came out better than another, as it was expected to. Differences are the first's minus the second's. */
export interface OrderFinding {
  readonly noise: Noise;
  readonly better: string;
  readonly worse: string;
  /** Clips that both were measured on. */
  readonly clips: number;
  readonly success: Estimated;
  readonly steady: Estimated;
  /** In dB. */
  readonly psnr: Estimated;
  /** By the interval of the difference of success: on one side of zero, or across it; null without an interval. */
  readonly verdict: Verdict | null;
  /** By that of PSNR, which tells apart on few clips what success does not. */
  readonly psnrVerdict: Verdict | null;
}

type Verdict = "holds" | "reversed" | "not told apart";

/** Checks an expected order pair by pair, clip by clip, each clip the mean of its runs; pairs that were not run are left out. */
export function orderFindings(
  order: readonly (readonly [better: string, worse: string])[],
  runs: ReadonlyMap<string, readonly AblationRun[]>,
): OrderFinding[] {
  return NOISES.flatMap((noise) =>
    order.flatMap(([better, worse]) => {
      const [first, second] = [better, worse].map((name) => clipsOf(runs.get(name) ?? [], noise));
      const shared = [...first!.keys()].filter((clip) => second!.has(clip));
      if (shared.length === 0) return [];
      const strata = shared.map((clip) => first!.get(clip)![0]!.task);
      const difference = (of: Figure): Estimated =>
        estimated(
          shared.map((clip) => {
            const [own, other] = [first!, second!].map((all) => mean(valuesOf(all.get(clip)!, of)));
            return own === null || other === null ? null : own! - other!;
          }),
          { strata, range: differenceRangeOf(of) },
        );
      const success = difference("success");
      const [steady, psnr] = [difference("steady"), difference("psnr")];
      const found = { clips: shared.length, success, steady, psnr };
      const verdicts = { verdict: verdict(success), psnrVerdict: verdict(psnr) };
      return [{ noise, better, worse, ...found, ...verdicts }];
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
  const quantities = ["success +%", "steady +%", "PSNR +dB"].flatMap((name) => [name, "95 %"]);
  return [
    ["expected", "noise", "clips", ...quantities, "by success", "by PSNR"],
    ...findings.map((finding) => [
      `${title(finding.better)} > ${title(finding.worse)}`,
      finding.noise,
      String(finding.clips),
      ...estimateCells(finding.success, percent),
      ...estimateCells(finding.steady, percent),
      ...estimateCells(finding.psnr, figure),
      finding.verdict ?? "–",
      finding.psnrVerdict ?? "–",
    ]),
  ];
}
