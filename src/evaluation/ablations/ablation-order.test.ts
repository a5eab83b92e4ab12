import { expect, test } from "vitest";
import { orderFindings, orderTable } from "./ablation-order.ts";
import type { ScoredClip } from "../statistics/scored-clip.ts";
import type { AblationRun } from "./ablation-table.ts";

/** A run in which the first so many of twenty clips succeed. */
function run(successes: number, method = "aligned"): AblationRun {
  const clips = Array.from({ length: 20 }, (_, index): ScoredClip => ({
    type: "clip-scored",
    method,
    task: "style",
    index,
    success: index < successes,
    steady: null,
    edited: true,
    kept: true,
    flicker: 0.02,
    psnr: 20 + (successes * (10 + (index % 3))) / 110,
    psnrChanged: null,
    psnrKept: 30,
  }));
  return { seed: 1, clips };
}

const order = [
  ["full", "no-critics"],
  ["no-critics", "no-sds"],
  ["no-sds", "random-init"],
  ["full", "no-k-bin"],
] as const;

test("a pair is set clip by clip: it holds, is reversed, or cannot be told apart", () => {
  const findings = orderFindings(
    order,
    new Map([
      ["full", [run(18)]],
      ["no-critics", [run(6), run(8)]],
      ["no-sds", [run(7)]],
      ["random-init", [run(19)]],
    ]),
  );
  expect(findings.map(({ better, verdict }) => [better, verdict])).toEqual([
    ["full", "holds"],
    ["no-critics", "not told apart"],
    ["no-sds", "reversed"],
  ]);
  expect(findings[0]).toMatchObject({ noise: "independent", worse: "no-critics", clips: 20 });
  expect(findings[0]!.success.mean).toBeCloseTo((18 - 7) / 20, 10);
  expect(findings[0]!.psnr.mean).toBeCloseTo(1.095, 10);
  expect(findings.map(({ psnrVerdict }) => psnrVerdict)).toEqual([
    "holds",
    "not told apart",
    "reversed",
  ]);
  expect(findings[0]!.steady).toEqual({ mean: null, interval: null });
});

test("a pair is compared on the clips that both have, each kind of noise by itself", () => {
  const few: AblationRun = { seed: 1, clips: run(5, "aligned-shared").clips.slice(0, 14) };
  const findings = orderFindings(
    order,
    new Map([
      ["full", [run(5, "aligned-shared")]],
      ["no-critics", [few]],
    ]),
  );
  expect(findings.map(({ noise, clips }) => [noise, clips])).toEqual([["shared", 14]]);
  const [head, row] = orderTable(findings, (name) => name.toUpperCase());
  expect(row).toHaveLength(head!.length);
  expect(row!.slice(0, 3)).toEqual(["FULL > NO-CRITICS", "shared", "14"]);
  expect(row!.at(-2)).toBe("not told apart");
});

test("of few clips there is neither an interval nor a verdict", () => {
  const first = (count: number, from: AblationRun): AblationRun => ({
    seed: 1,
    clips: from.clips.slice(0, count),
  });
  const found = (count: number) =>
    orderFindings(
      order,
      new Map([
        ["full", [first(count, run(20))]],
        ["no-critics", [first(count, run(0))]],
      ]),
    );
  const verdicts = { verdict: "holds", psnrVerdict: "holds" };
  expect(found(10)).toEqual([expect.objectContaining(verdicts)]);
  expect(found(9)).toMatchObject([
    { clips: 9, success: { mean: 1, interval: null }, verdict: null, psnrVerdict: null },
  ]);
  const [, row] = orderTable(found(9), (name) => name);
  expect(row!.slice(-2)).toEqual(["–", "–"]);
});
