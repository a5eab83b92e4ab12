import { expect, test } from "vitest";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { openPreset } from "./open.ts";

const nowhere = (): Promise<never> => Promise.reject(new Error("settings need no weights"));
const entry = stageEntry(openPreset({ model: nowhere, vision: nowhere }), "distillation");

test("public teachers are guided by words, wherever they are asked; of pictures they know no scale", () => {
  const { samples, scoreDistillation } = DistillationSettings.parse(resolveConfig(entry).stage);
  for (const { guideEdit, guideVideo } of [samples, scoreDistillation])
    for (const { text, image } of [guideEdit, guideVideo]) {
      expect(text).toBeGreaterThan(1);
      expect(image).toBe(1);
    }
});
