import { describe, expect, test } from "vitest";
import { ShapeError } from "../../engine/errors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { clipScores } from "../scores/clip-scores.ts";
import { flickerError } from "../scores/flicker.ts";
import { bootstrapInterval, mean } from "./bootstrap.ts";
import { compared } from "./paired.ts";
import { summarizeTasks } from "./summary.ts";

/** A clip of 2 × 2 pixels, all of a frame's values the same. */
function flat(...levels: readonly number[]): Tensor {
  return Tensor.from(
    levels.flatMap((level) => Array<number>(12).fill(level)),
    [levels.length, 3, 2, 2],
  );
}

describe("the flicker error", () => {
  test("of a constant offset is 0", () => {
    expect(flickerError(flat(0.3, 0.5, 0.4), flat(0.1, 0.3, 0.2))).toBeCloseTo(0, 6);
  });

  test("is the mean of how wrong the changes are", () => {
    // Changes of the truth: 0.2, 0.2; of the output: 0.5, −0.1.
    expect(flickerError(flat(0, 0.5, 0.4), flat(0, 0.2, 0.4))).toBeCloseTo(0.3, 6);
  });

  test("of a still output is the motion of the truth", () => {
    expect(flickerError(flat(0.5, 0.5), flat(0.2, 0.6))).toBeCloseTo(0.4, 6);
  });

  test("needs two frames", () => {
    expect(() => flickerError(flat(0), flat(0))).toThrow(ShapeError);
  });
});

describe("the bootstrap interval", () => {
  test("of equal values has no width", () => {
    expect(bootstrapInterval([0.25, 0.25, 0.25])).toEqual([0.25, 0.25]);
  });

  test("of 100 values, half of them 1, is about 1.96 standard errors wide on each side", () => {
    const values = Array.from({ length: 100 }, (_, index) => index % 2);
    const [low, high] = bootstrapInterval(values, { resamples: 4000 })!;
    // The standard error is 0.05; means of 100 values come in steps of 0.01.
    expect(Math.abs(low - 0.402)).toBeLessThan(0.015);
    expect(Math.abs(high - 0.598)).toBeLessThan(0.015);
  });

  test("is the same for the same seed, and there is none of nothing", () => {
    const values = [0.1, 0.7, 0.3, 0.9];
    expect(bootstrapInterval(values, { seed: 3 })).toEqual(bootstrapInterval(values, { seed: 3 }));
    expect(bootstrapInterval(values, { seed: 3 })).not.toEqual(
      bootstrapInterval(values, { seed: 4 }),
    );
    expect(bootstrapInterval([])).toBeNull();
    expect(mean([])).toBeNull();
  });
});

describe("scores", () => {
  const black = [new Uint8Array(12), new Uint8Array(12)];
  const white = black.map((frame) => frame.map(() => 255));
  const measure = { size: 2, window: 1, reconstruction: white };

  test("of a perfect edit and of a copy come to one half of success", () => {
    const perfect = clipScores({ input: black, truth: white, output: white }, measure);
    const copy = clipScores({ input: black, truth: white, output: black }, measure);
    expect(perfect).toMatchObject({ success: true, flicker: 0, psnr: 100, psnrKept: null });
    expect(copy).toMatchObject({ edited: false, kept: true, flicker: 0, psnrChanged: 0 });
    const summary = summarizeTasks([
      { task: "style", scores: perfect },
      { task: "remove", scores: copy },
    ]);
    expect(summary).toMatchObject({ clips: 2, success: 0.5, edited: 0.5, kept: 1, psnrKept: null });
    expect(summary.tasks.style).toMatchObject({ clips: 1, success: 1, psnr: 100 });
    expect(Object.keys(summary.tasks)).toEqual(["style", "remove"]);
    expect(compared([perfect], [copy])).toEqual({
      clips: 1,
      better: { mean: 1, interval: [1, 1] },
      psnr: { mean: 100, interval: [100, 100] },
      psnrChanged: { mean: 100, interval: [100, 100] },
      psnrKept: { mean: null, interval: null },
      success: { mean: 1, interval: [1, 1] },
      steady: { mean: 1, interval: [1, 1] },
      edited: { mean: 1, interval: [1, 1] },
      kept: { mean: 0, interval: [0, 0] },
      flickerRatio: null,
    });
  });

  test("are steady up to one and a half times the flicker of the truth, encoded and decoded", () => {
    const level = (value: number): Uint8Array => new Uint8Array(12).fill(value);
    const truth = [level(200), level(200)];
    const reconstruction = [level(200), level(210)];
    const steady = (second: number): boolean | null =>
      clipScores(
        { input: black, truth, output: [level(200), level(second)] },
        { size: 2, window: 1, reconstruction },
      ).steady;
    expect([steady(200), steady(214), steady(216)]).toEqual([true, true, false]);
  });

  test("are steady only where every window of frames is a success", () => {
    const truth = [white[0]!, white[0]!, white[0]!];
    const output = [white[0]!, white[0]!, black[0]!];
    const input = [black[0]!, black[0]!, black[0]!];
    const scores = (window: number) =>
      clipScores({ input, truth, output }, { size: 2, window, reconstruction: output });
    expect(scores(3)).toMatchObject({ success: true, steady: true });
    expect(scores(2)).toMatchObject({ success: true, steady: false });
  });

  test("of one frame have no flicker", () => {
    const [one] = black;
    const scores = clipScores({ input: [one!], truth: [one!], output: [one!] }, measure);
    expect([scores.flicker, scores.steady]).toEqual([null, null]);
  });
});
