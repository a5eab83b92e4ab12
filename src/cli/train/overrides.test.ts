import { describe, expect, test } from "vitest";
import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import type { StageEntry } from "../../training/stage.ts";
import { overriddenConfig, readOverrides } from "./overrides.ts";

const entry: StageEntry = {
  description: "a stage",
  config: { steps: 10, batch: 8, learningRate: 0.1, stage: { size: 64 } },
  settings: z.strictObject({
    size: z.number(),
    cache: z.string().default("runs/cache"),
    flip: z.boolean().default(true),
    recompute: z.union([z.boolean(), z.literal("layers")]).default(true),
    items: z.int().nullable().default(8),
    data: z.string().nullable().default("folder"),
    combine: z.string().nullable().default(null),
    layers: z.union([z.boolean(), z.literal("layers")]).default("layers"),
    odds: z.record(z.string(), z.number()).default({}),
  }),
  open: () => {
    throw new Error("settings are read without opening the stage");
  },
};

function configOf(...sets: readonly string[]) {
  return overriddenConfig(entry, readOverrides(sets.flatMap((set) => ["--set", set])));
}

describe("--set", () => {
  test("reads every flag, and lists, whole", () => {
    const config = configOf(
      "learningRate=3e-4,betas=[0.8,0.95]",
      "stage.size=32",
      "stage.cache=a b=c",
    );
    expect(config).toMatchObject({ learningRate: 3e-4, betas: [0.8, 0.95], steps: 10 });
    expect(config.stage).toMatchObject({ size: 32, cache: "a b=c", flip: true });
    expect(readOverrides(["autoencoder", "--set=steps=5", "--json"])).toEqual([
      { path: "steps", text: "5" },
    ]);
  });

  test("reaches a setting that only the stage's defaults know", () => {
    expect(configOf("stage.flip=false").stage).toMatchObject({ flip: false });
  });

  test.each([
    ["recompute=layers", "layers"],
    ["recompute=false", false],
    ["layers=true", true],
    ["items=null", null],
    ["items=1e3", 1000],
    ["data=null", null],
    ["data=2024", "2024"],
    ["cache=null", "null"],
    ["combine=2024", "2024"],
    ['odds={"add":2}', { add: 2 }],
  ])("takes stage.%s for a setting of two types as what the setting takes", (set, value) => {
    expect(configOf(`stage.${set}`).stage).toMatchObject({ [set.split("=")[0]!]: value });
  });

  test.each([
    ["learnigRate=1", "--set: no setting is called learnigRate; did you mean learningRate?"],
    ["stage.sise=1", "--set: no setting is called stage.sise; did you mean stage.size?"],
    ["steps=many", '--set steps: expected a number, got "many"'],
    ["steps=", '--set steps: expected a number, got ""'],
    ["stage.flip=1", '--set stage.flip: expected true or false, got "1"'],
    ["steps=null", '--set steps: expected a number, got "null"'],
    ["stage.recompute=blocks", '--set stage.recompute: expected true or false, got "blocks"'],
    ["stage.items=all", '--set stage.items: expected a number, got "all"'],
    ["stage.odds=many", '--set stage.odds: expected JSON like {}, got "many"'],
    ["betas=0.9", '--set betas: expected JSON like [0.9,0.99], got "0.9"'],
    ["steps=1.5", /^the settings do not fit: steps: /],
    ["=3", '--set: expected key=value, got "=3"'],
    ["steps", '--set: expected key=value, got "steps"'],
  ])("refuses %s in one sentence", (set, sentence) => {
    expect(() => configOf(set)).toThrow(sentence);
  });

  test("a slip is misuse", () => {
    expect(() => configOf("x=1")).toThrow(UserError);
  });

  test("a stage without a schema of its own takes any setting", () => {
    const { settings: _, ...free } = entry;
    expect(overriddenConfig(free, [{ path: "stage.colour", text: "blue" }]).stage).toEqual({
      size: 64,
      colour: "blue",
    });
  });
});
