import {
  clipsOf,
  estimated,
  NOISES,
  valuesOf,
  type AblationRun,
  type Figure,
  type Noise,
} from "./ablation-table.ts";
import { mean } from "./bootstrap.ts";
import { figure, intervalText, percent } from "./cells.ts";
import type { Estimated } from "./paired.ts";

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
  /** By the interval of the difference of success: on one side of zero, or across it. */
  readonly verdict: "holds" | "reversed" | "not told apart";
}

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
      const difference = (of: Figure): Estimated =>
        estimated(
          shared.map((clip) => {
            const [own, other] = [first!, second!].map((all) => mean(valuesOf(all.get(clip)!, of)));
            return own === null || other === null ? null : own! - other!;
          }),
        );
      const success = difference("success");
      const [steady, psnr] = [difference("steady"), difference("psnr")];
      const found = { clips: shared.length, success, steady, psnr, verdict: verdict(success) };
      return [{ noise, better, worse, ...found }];
    }),
  );
}

function verdict({ interval }: Estimated): OrderFinding["verdict"] {
  if (interval === null) return "not told apart";
  const [low, high] = interval;
  if (low > 0) return "holds";
  return high < 0 ? "reversed" : "not told apart";
}

/** The findings as cells under headings; `title` gives a row's name in the table. */
export function orderTable(
  findings: readonly OrderFinding[],
  title: (name: string) => string,
): string[][] {
  const points = ({ mean: share, interval }: Estimated): string[] => [
    percent(share),
    intervalText(interval, percent),
  ];
  return [
    ["expected", "noise", "clips", "success +%", "95 %", "steady +%", "95 %", "PSNR +dB", "found"],
    ...findings.map(({ better, worse, noise, clips, success, steady, psnr, verdict: found }) => [
      `${title(better)} > ${title(worse)}`,
      noise,
      String(clips),
      ...points(success),
      ...points(steady),
      figure(psnr.mean),
      found,
    ]),
  ];
}
