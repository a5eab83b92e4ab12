import { describe, expect, test } from "vitest";
import { ShapeError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { clipScores } from "../scores/clip-scores.ts";
import { flickerError } from "../scores/flicker.ts";
import { bootstrapInterval, LEAST, mean } from "./bootstrap.ts";
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
  test("of equal shares is the exact one, and of equal values that nothing bounds there is none", () => {
    const twenty = (value: number): number[] => Array<number>(20).fill(value);
    const share = { range: [0, 1] } as const;
    // Clopper and Pearson: 0 of 20, and 20 of 20
    const [none, upper] = bootstrapInterval(twenty(0), share)!;
    const [lower, all] = bootstrapInterval(twenty(1), share)!;
    expect([none, all]).toEqual([0, 1]);
    expect(upper).toBeCloseTo(0.1684, 4);
    expect(lower).toBeCloseTo(0.8316, 4);
    const [below, above] = bootstrapInterval(twenty(0), { range: [-1, 1] })!;
    expect([below, above]).toEqual([-upper, upper]);
    expect(bootstrapInterval(twenty(0.25))).toBeNull();
  });

  test("misses the mean of ten normal values one time in ten, of fewer more often", () => {
    const trials = 1000;
    const missed = (count: number): number => {
      const misses = Array.from({ length: trials }, (_, trial) => {
        const values = [...Rng.seed(trial).split(count).normals(count)];
        const [low, high] = bootstrapInterval(values, { resamples: 200, least: 2 })!;
        return low > 0 || high < 0;
      });
      return misses.filter(Boolean).length / trials;
    };
    expect(missed(LEAST)).toBeLessThan(0.12);
    expect(missed(2)).toBeGreaterThan(0.45);
    expect(missed(4)).toBeGreaterThan(0.12);
  });

  test("of 100 values, half of them 1, is about 1.96 standard errors wide on each side", () => {
    const values = Array.from({ length: 100 }, (_, index) => index % 2);
    const [low, high] = bootstrapInterval(values, { resamples: 4000 })!;
    // The standard error is 0.05; means of 100 values come in steps of 0.01.
    expect(Math.abs(low - 0.402)).toBeLessThan(0.015);
    expect(Math.abs(high - 0.598)).toBeLessThan(0.015);
  });

  test("of units of several values is that of their means: copies make it no narrower", () => {
    const videos = Array.from({ length: 12 }, (_, video) => video / 10);
    const edits = videos.flatMap((value) => [value - 0.01, value, value, value + 0.01]);
    const units = edits.map((_, edit) => `video ${Math.floor(edit / 4)}`);
    const [low, high] = bootstrapInterval(videos)!;
    const [lowest, highest] = bootstrapInterval(edits, { units })!;
    expect([lowest - low, highest - high].map(Math.abs).every((off) => off < 1e-9)).toBe(true);
    const [within, without] = bootstrapInterval(edits)!;
    expect(without - within).toBeLessThan(0.6 * (high - low));
    expect(bootstrapInterval(edits, { units: units.map(() => "one") })).toBeNull();
  });

  test("of strata is drawn from each by itself: what tells them apart makes it no wider", () => {
    const tasks = ["style", "add", "remove"];
    const values = tasks.flatMap((_, task) =>
      Array.from({ length: 20 }, (__, index) => 10 * task + (index % 2)),
    );
    const strata = tasks.flatMap((task) => Array<string>(20).fill(task));
    const [low, high] = bootstrapInterval(values, { strata, resamples: 4000 })!;
    // Each stratum's variance is 20/19 of 0.25, so the standard error is 0.0662.
    expect((high - low) / 2 / (1.96 * 0.0662)).toBeCloseTo(1, 1);
    const [lowest, highest] = bootstrapInterval(values)!;
    expect(highest - lowest).toBeGreaterThan(10 * (high - low));
    // a stratum of a single unit has no spread of its own
    expect(bootstrapInterval(values, { strata: strata.with(0, "texture") })).toEqual([
      lowest,
      highest,
    ]);
  });

  test("of strata of other sizes counts each by all of its units", () => {
    const values = [10, 10, ...Array.from({ length: 20 }, (_, index) => index % 2)];
    const strata = values.map((_, index) => (index < 2 ? "few" : "many"));
    const [low, high] = bootstrapInterval(values, { strata, resamples: 4000 })!;
    // the mean is 30/22; only the many vary
    expect(Math.abs((low + high) / 2 - 30 / 22)).toBeLessThan(0.03);
  });

  test("is the same for the same seed, and there is none of few values", () => {
    const values = [0.1, 0.7, 0.3, 0.9, 0.2, 0.5, 0.8, 0.4, 0.6, 0.1];
    expect(bootstrapInterval(values, { seed: 3 })).toEqual(bootstrapInterval(values, { seed: 3 }));
    expect(bootstrapInterval(values, { seed: 3 })).not.toEqual(
      bootstrapInterval(values, { seed: 4 }),
    );
    expect(bootstrapInterval(values.slice(1))).toBeNull();
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
    expect(compared([{ task: "style", ...perfect }], [{ task: "style", ...copy }])).toEqual({
      clips: 1,
      better: { mean: 1, interval: null },
      psnr: { mean: 100, interval: null },
      psnrChanged: { mean: 100, interval: null },
      psnrKept: { mean: null, interval: null },
      success: { mean: 1, interval: null },
      steady: { mean: 1, interval: null },
      edited: { mean: 1, interval: null },
      kept: { mean: 0, interval: null },
      flickerRatio: null,
    });
  });

  test("over all tasks have the interval of as many clips of each, alone and beside another method", () => {
    const level = (value: number): Uint8Array => new Uint8Array(12).fill(value);
    const of = (task: "style" | "add", value: number) => ({
      task,
      scores: clipScores(
        { input: black, truth: white, output: [level(value), level(value)] },
        measure,
      ),
    });
    const clips = Array.from({ length: 12 }, (_, index) => [
      of("style", 240 + index),
      of("add", 20 + index),
    ]).flat();
    const { intervals, tasks } = summarizeTasks(clips);
    const width = ([low, high]: readonly [number, number]): number => high - low;
    const ofTasks = Object.values(tasks).map((task) => width(task.intervals.psnr!) / 2);
    expect(width(intervals.psnr!) / Math.hypot(...ofTasks)).toBeCloseTo(1, 1);
    const own = clips.map(({ task, scores }) => ({ task, ...scores }));
    const other = own.map((clip) => ({ ...clip, psnr: 10 }));
    expect(width(compared(own, other).psnr.interval!)).toBeCloseTo(width(intervals.psnr!), 6);
  });

  test("beside another method's: a tie is half better, flicker a ratio, equal successes bounded both ways", () => {
    const scores = { ...clipScores({ input: black, truth: white, output: white }, measure) };
    const clips = (flicker: number) =>
      Array.from({ length: 12 }, () => ({ ...scores, task: "style" as const, flicker }));
    const { better, flickerRatio, success } = compared(clips(0.2), clips(0.1));
    expect([better.mean, flickerRatio]).toEqual([0.5, 2]);
    const others = 1 - 0.025 ** (1 / 12);
    expect(success).toEqual({ mean: 0, interval: [-others, others] });
  });

  test("tell the PSNR of what an edit changes, of the rest and of the whole", () => {
    const picture = (left: number, right: number): Uint8Array[] => [
      Uint8Array.from({ length: 12 }, (_, at) => (at % 6 < 3 ? left : right)),
    ];
    const clip = { input: picture(0, 0), truth: picture(255, 0), output: picture(204, 26) };
    const scores = clipScores(clip, { size: 2, window: 1, reconstruction: clip.truth });
    const decibels = (...errors: number[]): number =>
      -10 * Math.log10(errors.reduce((sum, error) => sum + (error / 255) ** 2, 0) / errors.length);
    expect(scores.psnrChanged).toBeCloseTo(decibels(51), 3);
    expect(scores.psnrKept).toBeCloseTo(decibels(26), 3);
    expect(scores.psnr).toBeCloseTo(decibels(51, 26), 3);
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
