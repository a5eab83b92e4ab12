import { expect, test } from "vitest";
import type { TgveScores } from "./tgve-means.ts";
import { tgveTable } from "./tgve-table.ts";

/** Scores that tell metrics apart, `by` more than others. */
function scoresOf(by: number): TgveScores {
  return {
    pickScore: 20.126 + by,
    clipFrame: 0.91236 + by,
    clipText: 27.126 + by,
    viclipDir: 0.11236 + by,
    viclipOut: 0.21236 + by,
  };
}

test("a table has a row for each kind, one for all and their intervals, a column for each metric", () => {
  const interval = (value: number): [number, number] => [value - 0.01, value + 0.01];
  const means = scoresOf(0);
  const intervals = {
    pickScore: interval(20.12),
    clipFrame: interval(0.9),
    clipText: interval(27.12),
    viclipDir: null,
    viclipOut: interval(0.2),
  };
  const byEdit = { style: { ...scoresOf(1), clipText: null } };
  expect(tgveTable({ means, byEdit, intervals, scored: 12 })).toEqual([
    ["edit", "PickScore", "CLIPFrame", "text alignment", "ViCLIP_dir", "ViCLIP_out"],
    ["style", "21.13", "1.9124", "–", "1.1124", "1.2124"],
    ["all 12", "20.13", "0.9124", "27.13", "0.1124", "0.2124"],
    ["95 %", "20.11–20.13", "0.8900–0.9100", "27.11–27.13", "–", "0.1900–0.2100"],
  ]);
});
