import { expect, test } from "vitest";
import { decisiveDifferences } from "../training/config.ts";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { withAblation } from "./ablations.ts";
import { withLook } from "./combinations.ts";
import { tiny } from "./tiny.ts";

const entry = stageEntry(tiny, "distillation");
const style = withLook(entry, "style:line-art");

test("is the same distillation but for budget, inputs, terms, weights and where scores are taken", () => {
  const differences = decisiveDifferences(resolveConfig(entry), resolveConfig(style));
  const names = differences.map((difference) => difference.split(" ")[0]);
  expect(new Set(names)).toEqual(
    new Set([
      "batch",
      "learningRate",
      "stage.alpha",
      "stage.beta",
      "stage.combine",
      "stage.combineInputs",
      "stage.items",
      "stage.scoreDistillation.guideEdit.image",
      "stage.scoreDistillation.times",
      "stage.strengthRate",
      "stage.terms",
    ]),
  );
  expect(resolveConfig(style).steps).toBe(60);
});

test("takes ablations like the other", () => {
  const { stage } = resolveConfig(withAblation(style, "no-strengths"));
  const { combine, strengthRate, alpha } = DistillationSettings.parse(stage);
  expect({ combine, strengthRate, alpha }).toEqual({
    combine: "style:line-art",
    strengthRate: 0,
    alpha: 0.8,
  });
});

test("differs for a subject in how closely the edit teacher follows the words alone", () => {
  const subject = resolveConfig(withLook(entry, "subject:toy-robot"));
  const differences = decisiveDifferences(resolveConfig(style), subject);
  expect(differences.map((difference) => difference.split(" ")[0])).toEqual([
    "stage.scoreDistillation.guideEdit.text",
    "stage.combine",
  ]);
  const { guideEdit, draws } = DistillationSettings.parse(subject.stage).scoreDistillation;
  expect(guideEdit).toEqual({ text: 2, image: 1.5 });
  const whole = DistillationSettings.parse(resolveConfig(entry).stage);
  expect(draws).toBe(whole.scoreDistillation.draws);
});
