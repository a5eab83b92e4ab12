import { expect, test } from "vitest";
import { copyingModel } from "../../../test/support/copying-model.ts";
import { recorder } from "../../../test/support/recorder.ts";
import { UserError } from "../../engine/errors.ts";
import { stepList } from "./evaluate-steps.ts";
import { runStepCounts } from "./step-counts-run.ts";

test("step counts are read in any order, each once; what is none gives one sentence", () => {
  expect(stepList("12, 2,3,2")).toEqual([2, 3, 12]);
  expect(() => stepList("2,x")).toThrow(UserError);
  expect(() => stepList("2,x")).toThrow("--steps: expected a whole number, at least 1");
});

test("evaluate steps ends with one object, and says what the model has no part for", async () => {
  const { out, report } = recorder({ json: true });
  await runStepCounts(
    copyingModel({ hasVideoAdapter: false }),
    {
      split: "test",
      tasks: ["style"],
      count: 1,
      frames: 2,
      methods: ["stacked", "frame-by-frame"],
      draw: { sampler: "ddim", guidance: { text: 1, image: 1 }, detail: "keep" },
      isCaptionGiven: true,
      seed: 0,
      stepCounts: [1, 2],
    },
    { report, signal: new AbortController().signal },
  );
  const events = out.map((line): Record<string, unknown> => JSON.parse(line));
  expect(events.filter(({ type }) => type === "clip-scored")).toHaveLength(2);
  expect(events.at(-2)).toMatchObject({
    type: "warning",
    message: "copying has no video adapter: stacked left out",
  });
  expect(events.at(-1)).toMatchObject({
    type: "step-counts",
    stepCounts: [1, 2],
    rows: [
      { method: "frame-by-frame", steps: 1, summary: { clips: 1 } },
      { method: "frame-by-frame", steps: 2, summary: { clips: 1 } },
    ],
    fastest: [{ method: "frame-by-frame", steps: null }],
  });
});
