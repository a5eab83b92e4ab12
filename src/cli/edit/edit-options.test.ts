import { expect, test } from "vitest";
import { readSettings, resolveSettings } from "../../editing/settings/settings.ts";
import { settingsFrom } from "./edit-options.ts";

const model = { name: "m", window: 8, hasVideoAdapter: true, hasAlignment: false };
const settings = resolveSettings(readSettings({ instruction: "make it snow", steps: 4 }), {
  ...model,
  defaults: { temperature: 0 },
});

test("a receipt is repeated with its temperature", () => {
  expect(settingsFrom({}, { settings })).toEqual(settings);
  expect(settingsFrom({ steps: "6" }, { settings })).toEqual({ ...settings, steps: 6 });
});

test.each([{ seed: "3" }, { seeds: "3,4" }])(
  "a receipt with %o gives results that differ, at a temperature of their own",
  (given) => {
    expect(settingsFrom(given, { settings })).not.toHaveProperty("temperature");
    const told = settingsFrom({ ...given, temperature: "0.5" }, { settings });
    expect(told).toMatchObject({ temperature: 0.5, steps: 4 });
  },
);

test("a receipt's task and caption are those of its instruction, not of another", () => {
  const receipt = { settings: { ...settings, caption: "a snowy hill" } };
  const again = settingsFrom(
    { instruction: "make it snow", _: ["v.mp4", "make it snow"] },
    receipt,
  );
  expect(again).toMatchObject({ task: settings.task, caption: "a snowy hill" });
  const other = settingsFrom(
    { instruction: "make it blue", _: ["v.mp4", "make it blue"] },
    receipt,
  );
  expect(other).toMatchObject({ instruction: "make it blue", steps: 4 });
  expect(other).not.toHaveProperty("task");
  expect(other).not.toHaveProperty("caption");
});

test.each([
  [
    ["v.mp4", "make", "the", "ball", "blue"],
    /quotes, such as "make the ball blue", got the word "the"/,
  ],
  [["v.mp4", "make the ball blue", "ball"], /got the word "ball" alone/],
])("words without quotes are no further edits: %j", (_, sentence) => {
  expect(() => settingsFrom({ instruction: _[1], _ })).toThrow(sentence);
});

test("further instructions follow the first", () => {
  const all = ["v.mp4", "make it snow", "give the fox a hat"];
  expect(settingsFrom({ instruction: all[1], _: all })).toMatchObject({
    further: ["give the fox a hat"],
  });
});
