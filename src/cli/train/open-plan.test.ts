import { join } from "node:path";
import { expect, test } from "vitest";
import { CLIP_SETTINGS, writeDataSet } from "../../../test/support/data-set.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { claimSettings } from "../../data/clips/dataset.ts";
import type { MemoryPlan } from "../../presets/open-memory.ts";
import { openPreset } from "../../presets/open.ts";
import { withData } from "../../presets/own-data.ts";
import { resolveConfig, stageEntry } from "../../training/stage.ts";
import { Reporter } from "../output.ts";
import { planText, showOpenPlan } from "./open-plan.ts";

const shape = { clips: 1, frames: 8, size: 512 };
const plan: MemoryPlan = {
  parts: [
    { name: "backbone", bytes: 2e9, type: "held" },
    { name: "one layer", bytes: 3e9, type: "passing" },
  ],
  totalBytes: 5.5e9,
  gpuBytes: 80e9,
  fits: true,
};

test("a memory plan is a table of its parts, the sum and a verdict", () => {
  const lines = planText(shape, plan).split("\n");
  expect(lines[0]).toBe("one iteration on a clip of 8 frames of 512 × 512:");
  expect(lines[1]).toMatch(/^ {2}backbone +2\.0 GB$/);
  expect(lines[2]).toMatch(/^ {2}at one time: one layer +3\.0 GB$/);
  expect(lines[3]).toMatch(/^ {2}in all.* 5\.5 GB$/);
  expect(lines[4]).toBe("fits a GPU of 80.0 GB");
});

test("a plan that does not fit says what to do", () => {
  const small = { ...plan, gpuBytes: 4e9, fits: false };
  expect(planText({ ...shape, clips: 2 }, small)).toMatch(
    /^one iteration on 2 clips .*does not fit a GPU of 4.0 GB: prepare clips of fewer frames or a smaller size, or lower batch$/s,
  );
});

test("clips that the networks cannot take are refused before there is a plan", async () => {
  const folder = join(temporaryFolder(), "long");
  writeDataSet(folder, ["a red fox"]);
  claimSettings(folder, { ...CLIP_SETTINGS, frames: 40, size: 100 });
  const nowhere = (): Promise<never> => Promise.reject(new Error("a plan needs no weights"));
  const entry = stageEntry(openPreset({ model: nowhere, vision: nowhere }), "distillation");
  const config = resolveConfig(withData(entry, folder));
  await expect(showOpenPlan(config, new Reporter({}))).rejects.toThrow(
    `${folder} holds clips of 40 frames, the motion modules take 32 at most and pictures of 100 × 100, sides have to be multiples of 64: prepare`,
  );
});
