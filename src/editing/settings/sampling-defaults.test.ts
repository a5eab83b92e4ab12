import { describe, expect, test } from "vitest";
import { clipFolder, makeClip } from "../../../test/support/clips.ts";
import { framesEdited, standInEditor } from "../../../test/support/edits.ts";
import { probeVideo } from "../../data/video/probe.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { spacingOf, timesteps } from "../../diffusion/timesteps.ts";
import type { EditOptions } from "../options.ts";
import { estimateEdit } from "../report/estimate.ts";
import type { ModelDefaults } from "./model.ts";
import { editSpacing, readSettings, resolveSettings } from "./settings.ts";
import { editGuidance } from "./strength.ts";

const model = { name: "m", window: 8, hasVideoAdapter: true, hasAlignment: false };
const defaults: ModelDefaults = { times: [999, 350], temperature: 0 };
const resolved = (own: Record<string, unknown>, of: ModelDefaults = defaults) =>
  resolveSettings(readSettings({ instruction: "make it snow", ...own }), {
    ...model,
    defaults: of,
  });

describe("the temperature of an edit", () => {
  test("is the model's, or 1 where it has none", () => {
    expect(resolved({})).toMatchObject({ temperature: 0, seed: 0 });
    expect(resolved({}, {}).temperature).toBe(1);
  });

  test("is 1 where one of several results is asked for, but not against what is said", () => {
    expect(resolved({ seed: 0 })).toMatchObject({ temperature: 1, seed: 0 });
    expect(resolved({ seed: 7, temperature: 0.3 })).toMatchObject({ temperature: 0.3, seed: 7 });
  });

  test.each([-0.1, 1.5, "hot"])("is no %s", (temperature) => {
    expect(() => resolved({ temperature })).toThrow(
      `temperature: expected a number from 0 to 1, got ${JSON.stringify(temperature)}`,
    );
  });
});

describe("the times of an edit", () => {
  test("are the model's where as many steps are made, and even ones otherwise", () => {
    expect(resolved({}).steps).toBe(2);
    expect(resolved({}, { times: [999, 600, 100] }).steps).toBe(3);
    expect(spacingOf(2, defaults.times)).toEqual([999, 350]);
    expect(spacingOf(4, defaults.times)).toEqual([999, 749, 499, 249]);
    expect(spacingOf(2, undefined)).toBe("trailing");
  });

  test("begin where the model's own begin, in however many steps", () => {
    expect(spacingOf(4, [749, 499, 249])).toEqual([749, 561, 374, 187]);
    expect(spacingOf(1, [749, 499, 249])).toEqual([749]);
    expect(spacingOf(5, [999])).toEqual(timesteps(createSchedule(), 5, "trailing"));
  });

  test("are the model's at its own temperature alone", () => {
    const late: ModelDefaults = { times: [749, 350], temperature: 0 };
    const spacing = (own: Record<string, unknown>, of = late) =>
      editSpacing(resolved(own, of), { defaults: of });
    expect(spacing({})).toEqual([749, 350]);
    expect(spacing({ steps: 3 })).toEqual([749, 499, 249]);
    expect(spacing({ seed: 1 })).toBe("trailing");
    expect(spacing({ temperature: 0.5 })).toBe("trailing");
    expect(spacing({ seed: 1 }, { times: [749, 350] })).toEqual([749, 350]);
  });
});

test("an edit visits the model's times, and at temperature 0 no seed and no kind of noise changes it", async () => {
  await using folder = await clipFolder();
  const input = folder.file("input.mp4");
  const ticks = Array.from({ length: 3 }, (_, index) => index * 512);
  await makeClip(input, { width: 32, height: 32, ticks });
  const seen: number[] = [];
  const editor = standInEditor({ defaults, grain: 0.3, onPredict: ({ t }) => seen.push(t) });
  const edited = async (options: EditOptions) =>
    (await framesEdited(editor, input, "make it snow", options)).map(({ rgb }) => rgb);
  const plain = await edited({});
  expect([...new Set(seen)]).toEqual([999, 350]);
  expect(await edited({ seed: 3, temperature: 0 })).toEqual(plain);
  expect(await edited({ noise: "shared" })).toEqual(plain);
  expect(await edited({ seed: 3 })).not.toEqual(plain);
});

describe("the guidance of an edit", () => {
  const guiding: ModelDefaults = { textGuidance: { add: 2 } };

  test("counts in multiples of what is usual for its task with the model", () => {
    const scales = (own: Record<string, unknown>) => editGuidance(resolved(own, guiding), guiding);
    expect(scales({ task: "add" })).toEqual({ text: 2, image: 1 });
    expect(scales({ task: "style" })).toEqual({ text: 1, image: 1 });
    expect(scales({ task: "add", guidance: { text: 1.5 } })).toEqual({ text: 3, image: 1 });
    expect(editGuidance(resolved({ task: "add" }, {}), {})).toEqual({ text: 1, image: 1 });
  });

  test("is each instruction's own, and costs an evaluation more", async () => {
    await using folder = await clipFolder();
    const input = folder.file("input.mp4");
    await makeClip(input, { width: 32, height: 32, ticks: [0, 512] });
    const asked: string[] = [];
    const editor = standInEditor({
      defaults: guiding,
      onPredict: ({ texts }) => asked.push(`${texts.task}: ${texts.instruction}`),
    });
    await framesEdited(editor, input, "add a hat", {
      further: ["make it a sketch"],
      steps: 1,
      method: "frame-by-frame",
    });
    expect(asked).toEqual(["add: add a hat", "add: ", "style: make it a sketch"]);
  });

  test("acts above the model's time for it alone: steps below it ask once", async () => {
    await using folder = await clipFolder();
    const input = folder.file("input.mp4");
    await makeClip(input, { width: 32, height: 32, ticks: [0, 512] });
    const asked: string[] = [];
    const editor = standInEditor({
      defaults: { ...guiding, times: [700, 300, 100], steps: 3, guidedAbove: 300 },
      onPredict: ({ texts, t }) => asked.push(`${t}: ${texts.instruction}`),
    });
    await framesEdited(editor, input, "add a hat", { method: "frame-by-frame" });
    expect(asked).toEqual(["700: add a hat", "700: ", "300: add a hat", "100: add a hat"]);
  });

  test("is foreseen in the time of an edit", async () => {
    await using folder = await clipFolder();
    const input = folder.file("input.mp4");
    await makeClip(input, { width: 32, height: 32, ticks: [0, 512] });
    const info = await probeVideo(input);
    const calibration = {
      stepSeconds: 1,
      pictureSeconds: 0,
      detailSeconds: 0,
      windowFrameBytes: 1,
    };
    const memory = { heldBytes: 0, availableBytes: 1e9 };
    const secondsOf = (task: string, own = guiding) => {
      const settings = resolved({ task, steps: 3, method: "frame-by-frame" }, own);
      return estimateEdit(info, [settings], { calibration, memory, defaults: own }).seconds!;
    };
    expect(secondsOf("add")).toBeCloseTo(12, 2);
    expect(secondsOf("style")).toBeCloseTo(6, 2);
    const plainAtLast = { ...guiding, times: [700, 500, 300], guidedAbove: 300 };
    expect(secondsOf("add", plainAtLast)).toBeCloseTo(10, 2);
    expect(secondsOf("style", plainAtLast)).toBeCloseTo(6, 2);
  });
});
