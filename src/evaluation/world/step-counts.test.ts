import { describe, expect, test } from "vitest";
import { copyingModel } from "../../../test/support/copying-model.ts";
import { engineInfo } from "../../engine/settings.ts";
import type { ClipScores } from "../scores/clip-scores.ts";
import type { PlaceOptions, StepsScored } from "./scored-place.ts";
import { fastestSentence, stepCountsTable } from "./step-counts-table.ts";
import {
  evaluateStepCounts,
  stepCountsCost,
  stepCountsOf,
  type StepsMeasured,
} from "./step-counts.ts";

const options: PlaceOptions = {
  split: "validation",
  tasks: ["style", "add"],
  count: 1,
  frames: 4,
  methods: ["aligned", "aligned-shared"],
  draw: { sampler: "ddim", guidance: { text: 1, image: 1 }, detail: "off" },
  isCaptionGiven: true,
  seed: 0,
  stepCounts: [1, 2, 4],
};

function scores(success: boolean): ClipScores {
  return {
    edited: success,
    kept: true,
    success,
    steady: success,
    changedShare: 0.5,
    changedError: 0.1,
    inputError: 0.4,
    keptError: 0.01,
    flicker: 0.02,
    psnr: 20,
    psnrChanged: 15,
    psnrKept: 30,
  };
}

/** A hundred clips of which the first so many succeed. */
function measured(steps: number, successes: number): StepsMeasured {
  const clips = Array.from({ length: 100 }, (_, index) => ({
    task: "style" as const,
    scores: scores(index < successes),
    seconds: steps,
  }));
  return { steps, clips };
}

describe("measuring in several numbers of steps", () => {
  test("edits every clip in each, but draws and encodes it and its truth once", async () => {
    const model = copyingModel();
    let encodings = 0;
    let frames = 0;
    const clips: StepsScored[] = [];
    const counted: typeof model = {
      ...model,
      encode: (pixels) => {
        encodings++;
        return model.encode(pixels);
      },
    };
    const report = await evaluateStepCounts(counted, options, {
      onWork: (work) => {
        frames += work.frames;
      },
      onClip: (clip) => clips.push(clip),
    });
    expect(encodings).toBe(2 * options.tasks.length);
    expect(frames).toBe(stepCountsCost(model, options));
    expect(
      clips.map(({ task, method, steps }) => `${task} ${method} ${steps}`).slice(0, 7),
    ).toEqual([
      "style aligned 1",
      "style aligned 2",
      "style aligned 4",
      "style aligned-shared 1",
      "style aligned-shared 2",
      "style aligned-shared 4",
      "add aligned 1",
    ]);
    expect(report.rows.map(({ method, steps, summary }) => [method, steps, summary.clips])).toEqual(
      ["aligned", "aligned-shared"].flatMap((method) => [1, 2, 4].map((n) => [method, n, 2])),
    );
    expect(report.fastest).toEqual([
      { method: "aligned", steps: null, best: 1 },
      { method: "aligned-shared", steps: null, best: 1 },
    ]);
  });

  test("leaves no tensor behind, and stops after the step in which it is told to", async () => {
    const before = engineInfo().liveTensors;
    const controller = new AbortController();
    const stopped = evaluateStepCounts(copyingModel(), options, {
      signal: controller.signal,
      onWork: () => controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/aborted/);
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(before);
  });
});

describe("the number of steps to take", () => {
  test("is the lowest that loses no more than 2 % of the most successes", () => {
    const { rows, fastest } = stepCountsOf("aligned", [
      measured(2, 48),
      measured(3, 49),
      measured(6, 50),
      measured(12, 50),
    ]);
    expect(fastest).toEqual({ method: "aligned", steps: 3, best: 6 });
    expect(rows.map(({ besideBest }) => besideBest.mean)).toEqual([-0.02, -0.01, 0, 0]);
    expect(rows[0]).toMatchObject({ secondsPerClip: 2, summary: { success: 0.48, kept: 1 } });
    expect(fastestSentence(fastest)).toBe(
      "aligned: 3 steps is the fastest that loses no more than 2 % of edited-and-kept (most at 6)",
    );
  });

  test("is none where nothing succeeds", () => {
    const { fastest } = stepCountsOf("stacked", [measured(2, 0), measured(3, 0)]);
    expect(fastest.steps).toBeNull();
    expect(fastestSentence(fastest)).toContain("none can be recommended");
  });

  test("stands under a table with a row for each, intervals in brackets", () => {
    const { rows, fastest } = stepCountsOf("aligned", [measured(2, 100), measured(3, 0)]);
    const [heads, first, second] = stepCountsTable({ rows, fastest: [fastest] });
    expect(first).toHaveLength(heads!.length);
    expect(first!.slice(0, 5)).toEqual(["aligned", "2", "100", "100.0 [96.4, 100.0]", "0.0"]);
    expect(second!.slice(3, 5)).toEqual(["0.0 [0.0, 3.6]", "-100.0 [-100.0, -92.8]"]);
  });
});
