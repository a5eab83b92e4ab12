import { expect, test } from "vitest";
import { ConfigError, UserError } from "../engine/errors.ts";
import { PARTS } from "../eve/model-folder.ts";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { tiny } from "./tiny.ts";

test("the preset trains every part of a model, in the order of its parts", () => {
  expect(Object.keys(tiny.stages)).toEqual(PARTS);
});

test.each(PARTS)("the settings of %s are complete and valid", (part) => {
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

test("a stage that does not exist is answered with those that do", () => {
  expect(() => stageEntry(tiny, "student")).toThrow(UserError);
  expect(() => stageEntry(tiny, "student")).toThrow(/it has autoencoder, text-encoder, backbone/);
});
