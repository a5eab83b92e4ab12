import { expect, test } from "vitest";
import { orderFindings, orderTable } from "./ablation-order.ts";
import type { ScoredClip } from "../statistics/scored-clip.ts";
import type { AblationRun } from "./ablation-table.ts";

/** A run in which the first so many of twenty clips succeed. */
function run(successes: number, method = "aligned", seed: number | null = 1): AblationRun {
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
  return { seed, clips };
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
      ["full", [run(18), run(18, "aligned", 2)]],
      ["no-critics", [run(6), run(8, "aligned", 2)]],
      ["no-sds", [run(7), run(7, "aligned", 2)]],
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

test("rows are compared by the seeds that both have, and their spread stands beside the verdict", () => {
  const seeds = (...successes: readonly (readonly [seed: number | null, successes: number])[]) =>
    successes.map(([seed, count]) => run(count, "aligned", seed));
  const findings = orderFindings(
    [...order, ["full", "no-alignment"]],
    new Map([
      // seed 3 is a lucky one that the others were not distilled with
      ["full", seeds([1, 10], [2, 6], [3, 20])],
      ["no-critics", seeds([2, 7], [1, 4])],
      ["no-sds", seeds([7, 1])],
      ["no-alignment", seeds([null, 2])],
    ]),
  );
  expect(findings.map(({ better, worse, seeds: shared }) => [better, worse, shared])).toEqual([
    ["full", "no-critics", [1, 2]],
    ["no-critics", "no-sds", []],
    ["full", "no-alignment", [1, 2, 3]],
  ]);
  const [both, none, untrained] = findings;
  expect(both!.success.mean).toBeCloseTo((6 - 1) / 2 / 20, 10);
  expect(both!.bySeed.success.values).toEqual([expect.closeTo(0.3), expect.closeTo(-0.05)]);
  expect(both!.bySeed.success.deviation).toBeCloseTo(0.35 / Math.SQRT2, 10);
  expect(none!.success.mean).toBeCloseTo((5.5 - 1) / 20, 10);
  expect(none!.bySeed.success).toEqual({ values: [], deviation: null });
  expect(untrained!.success.mean).toBeCloseTo((12 - 2) / 20, 10);
  const [head, ...body] = orderTable(findings, (name) => name);
  const cells = (name: string): (string | undefined)[] =>
    body.map((row) => row[head!.indexOf(name)]);
  expect(cells("seeds")).toEqual(["1, 2", "none in common", "1, 2, 3"]);
  expect(cells("± seeds")).toEqual(["24.7", "–", "36.1"]);
  expect(cells("by success")).toEqual([
    "holds, with 1 of 2 seeds",
    "holds",
    "holds, with 3 of 3 seeds",
  ]);
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
