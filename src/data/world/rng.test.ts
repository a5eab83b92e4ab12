import { expect, test } from "vitest";
import { WorldRng } from "./rng.ts";

const draws = (...key: readonly (string | number)[]): number[] => {
  const rng = new WorldRng(...key);
  return Array.from({ length: 4 }, () => rng.next());
};

test("a key gives one stream, and no other key gives it", () => {
  expect(draws("edit", 1, 23)).toEqual(draws("edit", 1, 23));
  const keys = [
    ["edit", 1, 23],
    ["edit", 12, 3],
    ["edit", 123],
    ["edi", "t", 1, 23],
    ["edit", 23, 1],
  ];
  const streams = keys.map((key) => draws(...key).join());
  expect(new Set(streams).size).toBe(keys.length);
});

test("weights are how often something is drawn, and every place of a list is as likely", () => {
  const rng = new WorldRng("counts");
  const counts = { rare: 0, common: 0, never: 0 };
  for (let i = 0; i < 4000; i++) counts[rng.weighted({ rare: 1, common: 3, never: 0 })]++;
  expect(counts.never).toBe(0);
  expect(counts.common / counts.rare).toBeCloseTo(3, 0);
  const firsts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) firsts[rng.shuffle([0, 1, 2, 3])[0]!]!++;
  for (const count of firsts) expect(Math.abs(count / 1000 - 1)).toBeLessThan(0.15);
});
