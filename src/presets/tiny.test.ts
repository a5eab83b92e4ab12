import { expect, test } from "vitest";
import { ConfigError, UserError } from "../engine/errors.ts";
import { PARTS } from "../eve/model/model-folder.ts";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { DistillationSettings, judgedFrom } from "../training/stages/distillation-settings.ts";
import { stagesOf } from "./tiny-export.ts";
import { tiny } from "./tiny.ts";

/** Some train more than one part. */
const stages = [...new Set(PARTS.flatMap(stagesOf))];

test("the preset trains every part of a model, in the order of its parts; a decoder when there are edits to learn on by", () => {
  const names = Object.keys(tiny.stages);
  expect(new Set(names)).toEqual(new Set(stages));
  const first = [...new Set(PARTS.map((part) => stagesOf(part)[0]))];
  expect(names.filter((name) => name !== "decoder")).toEqual(first);
  expect(names.indexOf("decoder")).toBeGreaterThan(names.indexOf("edit-adapter"));
});

test.each(stages)("the settings of %s are complete and valid", (part) => {
  const config = resolveConfig(stageEntry(tiny, part));
  expect(config.steps).toBeGreaterThan(0);
  expect(config.batch % config.accumulate).toBe(0);
});

test("the edit adapter often sees no output caption: users rarely give one", () => {
  const { stage } = resolveConfig(stageEntry(tiny, "edit-adapter"));
  expect(stage["dropCaption"]).toBe(0.5);
});

test("a stage's setting that does not exist is refused by its name", () => {
  const entry = stageEntry(tiny, "backbone");
  const resolve = (): unknown => resolveConfig(entry, { ...entry.config, stage: { dropText: 1 } });
  expect(resolve).toThrow(ConfigError);
  expect(resolve).toThrow(/dropText/);
});

test.each([
  ["backbone", { keptWeight: 3 }],
  ["backbone", { sharedNoise: 0.3 }],
  ["video-adapter", { inUse: 0.6 }],
  ["edit-adapter", { sharedNoise: 0.3 }],
])("%s refuses a setting of another stage: %j", (part, stage) => {
  const entry = stageEntry(tiny, part);
  const resolve = (): unknown => resolveConfig(entry, { ...entry.config, stage });
  expect(resolve).toThrow(new RegExp(Object.keys(stage)[0]!));
});

test.each([
  [{ alpha: 0, beta: 0 }],
  [{ alpha: 0, terms: ["sdsEdit", "genEdit"] }],
  [{ lambda: 0, terms: ["sdsEdit", "sdsVideo"] }],
])("a distillation in which nothing counts is refused: %j", (stage) => {
  const entry = stageEntry(tiny, "distillation");
  const { config } = entry;
  const resolve = (own: object): unknown =>
    resolveConfig(entry, { ...config, stage: { ...config.stage, ...own } });
  expect(() => resolve(stage)).toThrow(
    "stage.alpha: alpha, beta and lambda leave none of the run's terms any weight",
  );
  expect(() => resolve({ alpha: 0 })).not.toThrow();
});

test("a stage that does not exist is answered with those that do", () => {
  expect(() => stageEntry(tiny, "student")).toThrow(UserError);
  expect(() => stageEntry(tiny, "student")).toThrow(/it has autoencoder, text-encoder, backbone/);
});

test("distillation is the paper's in λ and its phases, led by the edit teacher, unguided, and drawn as in use", () => {
  const config = resolveConfig(stageEntry(tiny, "distillation"));
  const settings = DistillationSettings.parse(config.stage);
  expect(settings).toMatchObject({ alpha: 0.95, beta: 0.05, lambda: 2.5, temperature: 0 });
  expect(settings.kBin).toMatchObject({ bins: 3, times: "random", start: "end" });
  expect(settings.samples).toMatchObject({ steps: 3, times: [999, 500, 200], temperature: 0 });
  expect([config.steps, judgedFrom(settings, config.steps)]).toEqual([72, 48]);
  const { guideEdit, guideVideo, times } = settings.scoreDistillation;
  for (const scales of [guideEdit, guideVideo]) expect(scales).toEqual({ image: 1, text: 1 });
  expect(times).toEqual([0.1, 0.55]);
});
