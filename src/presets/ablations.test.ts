import { expect, test } from "vitest";
import { decisiveDifferences } from "../training/config.ts";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { ABLATION_NAMES, ABLATIONS, withAblation, type AblationName } from "./ablations.ts";
import { tiny } from "./tiny.ts";

const entry = stageEntry(tiny, "distillation");
const terms = '"sdsEdit","sdsVideo","genEdit","genVideo"';

test("a row has every ablation of Table 2, under its name there", () => {
  expect(Object.values(ABLATIONS).map(({ title }) => title)).toEqual(
    expect.arrayContaining([
      "Random Init",
      "w/o alignment",
      "w/o SDS",
      "w/o discriminators",
      "w/o K-Bin",
    ]),
  );
});

test.each<[AblationName, string[]]>([
  ["full", []],
  ["random-init", ['stage.student "aligned" became "unpretrained"']],
  ["no-sds", [`stage.terms [${terms}] became ["genEdit","genVideo"]`]],
  ["no-critics", [`stage.terms [${terms}] became ["sdsEdit","sdsVideo"]`]],
  ["no-k-bin", ['stage.kBin.times "random" became "fixed"']],
  ["edit-teacher-alone", [`stage.terms [${terms}] became ["sdsEdit","genEdit"]`]],
  ["video-teacher-alone", [`stage.terms [${terms}] became ["sdsVideo","genVideo"]`]],
  ["no-sds-edit", [`stage.terms [${terms}] became ["sdsVideo","genEdit","genVideo"]`]],
  ["no-sds-video", [`stage.terms [${terms}] became ["sdsEdit","genEdit","genVideo"]`]],
  ["no-strengths", ["stage.strengthRate 600 became 0"]],
])("%s differs from the whole in what its name says, and in nothing else", (name, differences) => {
  const changed = resolveConfig(withAblation(entry, name));
  expect(decisiveDifferences(resolveConfig(entry), changed)).toEqual(differences);
});

test("the row without alignment cannot be trained, and says what it is", () => {
  expect(() => withAblation(entry, "no-alignment")).toThrow(
    'the ablation no-alignment trains nothing: it is the method stacked of "./eve evaluate world"',
  );
  expect(ABLATION_NAMES).toContain("no-alignment");
});
