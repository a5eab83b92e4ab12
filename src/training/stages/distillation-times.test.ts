import { expect, test } from "vitest";
import { createSchedule } from "../../diffusion/schedule.ts";
import { DistillationSettings } from "./distillation-settings.ts";
import { requireTimes } from "./distillation-times.ts";

const schedule = createSchedule({ zeroTerminalSnr: true });
const check = (settings: object): void =>
  requireTimes(DistillationSettings.parse(settings), schedule);

test.each([
  [{}],
  [{ kBin: { from: 749 } }],
  [{ samples: { steps: 3, times: [999, 500, 200] } }],
  [{ samples: { steps: 20, times: [749, 300] } }],
])("takes %j", (settings) => {
  expect(() => check(settings)).not.toThrow();
});

test.each([
  [{ kBin: { from: 1000 } }, /^stage.kBin: expected 3 falling times from 999 to 0, got 1000, /],
  [{ kBin: { from: 1 } }, /^stage.kBin: expected 3 falling times/],
  [{ kBin: { bins: 1001 } }, "stage.kBin: expected 1 to 1000 sampling steps, got 1001"],
  [
    { samples: { steps: 2, times: [200, 500] } },
    "stage.samples: expected 2 falling times from 999 to 0, got 200, 500",
  ],
  [{ samples: { steps: 5, times: [1200] } }, /^stage.samples: expected 5 falling times/],
])("refuses %j and names the setting", (settings, sentence) => {
  expect(() => check(settings)).toThrow(sentence);
});
