import { expect, test } from "vitest";
import type { ScoredClip } from "../statistics/scored-clip.ts";
import { ablationRows, ablationTable } from "./ablation-table.ts";

function clip(index: number, steady: boolean, method = "aligned"): ScoredClip {
  return {
    type: "clip-scored",
    method,
    task: "style",
    index,
    success: true,
    steady,
    edited: true,
    kept: true,
    flicker: 0.02,
    psnr: 20,
    psnrChanged: null,
    psnrKept: 30,
  };
}

test("a row means over runs first, then over clips: seeds do not make the interval narrower", () => {
  const clips = (): ScoredClip[] =>
    Array.from({ length: 12 }, (_, index) => clip(index, index % 2 === 0));
  const [first, second] = [clips(), clips()];
  const once = ablationRows({ name: "full", title: "EVE" }, [{ seed: 1, clips: first }]);
  const twice = ablationRows({ name: "full", title: "EVE" }, [
    { seed: 1, clips: first },
    { seed: 7, clips: second },
  ]);
  expect(once).toHaveLength(1);
  expect(twice[0]!.figures).toEqual(once[0]!.figures);
  expect(twice[0]).toMatchObject({
    noise: "independent",
    runs: 2,
    clips: 12,
    seeds: [1, 7],
    byRun: { steady: { values: [0.5, 0.5], deviation: 0 }, success: { values: [1, 1] } },
  });
  expect(twice[0]!.figures.steady.interval).not.toBeNull();
  expect(twice[0]!.figures.psnrChanged).toEqual({ mean: null, interval: null });
});

test("both kinds of noise have a row of their own", () => {
  const run = [clip(0, true), clip(0, false, "aligned-shared")];
  const rows = ablationRows({ name: "full", title: "EVE" }, [{ seed: 1, clips: run }]);
  expect(rows.map(({ noise, figures }) => [noise, figures.steady.mean])).toEqual([
    ["independent", 1],
    ["shared", 0],
  ]);
  const [head, ...body] = ablationTable(rows, () => 87.2);
  expect(new Set([head, ...body].map((cells) => cells!.length)).size).toBe(1);
  expect(body[0]).toEqual(
    "EVE|independent|1|1|100.0|–|–|100.0|–|–|100.0|100.0|2.00|20.00|–|–|30.00|87.2".split("|"),
  );
});

test("the spread over seeds is the deviation of the runs' own shares", () => {
  const run = (shares: readonly boolean[]) => shares.map((steady, index) => clip(index, steady));
  const [row] = ablationRows({ name: "full", title: "EVE" }, [
    { seed: 1, clips: run([true, true]) },
    { seed: 2, clips: run([true, false]) },
    { seed: 3, clips: run([false, false]) },
  ]);
  expect(row!.byRun.steady).toEqual({ values: [1, 0.5, 0], deviation: 0.5 });
});
