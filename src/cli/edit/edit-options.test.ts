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
