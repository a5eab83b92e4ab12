import { expect, test } from "vitest";
import { copyingModel } from "../../../test/support/copying-model.ts";
import { sampleEdit } from "../../data/world/edits.ts";
import { clipSheet, clipSheetCost, type ClipSheetOptions } from "./clip-sheet.ts";
import { truthClip } from "./ground-truth.ts";

const options: ClipSheetOptions = {
  split: "test",
  clips: [
    { task: "background", index: 3 },
    { task: "style", index: 0 },
  ],
  columns: 3,
  frames: 8,
  methods: ["frame-by-frame-shared", "aligned-shared"],
  draw: { steps: 1, sampler: "ddim", guidance: { text: 1, image: 1 }, detail: "off" },
  isCaptionGiven: true,
  seed: 0,
};

test("a clip stands under its instruction: input, each way to edit, truth, at the same moments", async () => {
  let frames = 0;
  const onWork = (work: { frames: number }): void => {
    frames += work.frames;
  };
  const [first, second] = await clipSheet(copyingModel(), options, { onWork });
  const request = sampleEdit("test", 3, "background");
  expect(first?.title).toBe(`"${request.instruction}"`);
  expect(first?.columns).toEqual(["frame 0", "frame 3", "frame 6"]);
  expect(first?.rows.map(({ label }) => label)).toEqual([
    "input",
    "frame by frame",
    "aligned",
    "truth",
  ]);
  const truth = truthClip(request, 8, 24);
  const shown = first?.rows[3]?.images.map(({ rgb }) => rgb) ?? [];
  // A frame's edges may differ by one level from those of the same frame drawn before it
  const differences = [0, 3, 6].map((frame, column) =>
    Math.max(...shown[column]!.map((value, at) => Math.abs(value - truth[frame]![at]!))),
  );
  expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  expect(first?.rows[2]?.images).toEqual(first?.rows[0]?.images);
  expect(second?.title).toBe(`"${sampleEdit("test", 0, "style").instruction}"`);
  expect(frames).toBe(clipSheetCost(copyingModel(), options));
});

test("what the model has no part for is left out", async () => {
  const [block] = await clipSheet(copyingModel({ hasVideoAdapter: false }), {
    ...options,
    clips: options.clips.slice(0, 1),
  });
  expect(block?.rows.map(({ label }) => label)).toEqual(["input", "frame by frame", "truth"]);
});
