import { describe, expect, test } from "vitest";
import { ShapeError } from "../../engine/errors.ts";
import { normal, Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { clipFrameConsistency } from "./clip-frame-consistency.ts";
import { clipTextAlignment } from "./clip-text-alignment.ts";
import { pickScore } from "./pick-score.ts";
import { viclipDir } from "./viclip-dir.ts";
import { viclipOut } from "./viclip-out.ts";

function rows(...values: readonly (readonly number[])[]): Tensor {
  return Tensor.from(values.flat(), [values.length, values[0]?.length ?? 0]);
}

const random = (seed: number, count: number): Tensor => normal(Rng.seed(seed), [count, 16]);

describe("clipFrameConsistency", () => {
  test("is 1 for equal frames and 0 for frames that have nothing in common", () => {
    const one = random(1, 1);
    expect(clipFrameConsistency(one.expand([5, 16]))).toBeCloseTo(1, 12);
    expect(clipFrameConsistency(rows([2, 0, 0], [0, 3, 0], [0, 0, 0.1]))).toBeCloseTo(0, 12);
    expect(clipFrameConsistency(rows([1, 2], [-1, -2]))).toBeCloseTo(-1, 12);
  });

  test("is the mean over pairs of different frames, each as long as any other", () => {
    // cosines 1/2, 1/2 and −1/2 of three directions 60° apart
    const at = (degrees: number, length: number): number[] => [
      length * Math.cos((degrees * Math.PI) / 180),
      length * Math.sin((degrees * Math.PI) / 180),
    ];
    const frames = rows(at(0, 1), at(60, 7), at(120, 0.2));
    // float32 of the vectors
    expect(clipFrameConsistency(frames)).toBeCloseTo(0.5 / 3, 6);
  });

  test("refuses a single frame", () => {
    expect(() => clipFrameConsistency(random(1, 1))).toThrow(
      new ShapeError("expected a video of at least 2 frames, got 1: one frame has no pairs"),
    );
  });
});

describe.each([
  { name: "clipTextAlignment", score: clipTextAlignment },
  { name: "pickScore", score: pickScore },
])("$name", ({ score }) => {
  test("is the mean cosine times the scale, whatever the lengths", () => {
    const frames = rows([3, 0], [0, 2], [1, 1], [-5, 0]);
    const expected = (100 * (1 + 0 + Math.SQRT1_2 - 1)) / 4;
    expect(score(frames, rows([0.5, 0]), Math.log(100))).toBeCloseTo(expected, 5);
  });

  test("refuses vectors of different spaces", () => {
    expect(() => score(random(1, 3), rows([1, 2]), 0)).toThrow(
      new ShapeError("expected [_ 16], got [1 2]"),
    );
  });
});

describe("viclipDir", () => {
  const [before, after, was, is] = [random(1, 1), random(2, 1), random(3, 1), random(4, 1)];
  const captions = { input: was, output: is };

  test("is 1 where the video changes exactly as its caption does, and −1 where it goes back", () => {
    expect(viclipDir({ input: was, output: is }, captions)).toBeCloseTo(1, 12);
    expect(viclipDir({ input: is, output: was }, captions)).toBeCloseTo(-1, 12);
  });

  test("does not depend on the lengths of the vectors", () => {
    const plain = viclipDir({ input: before, output: after }, captions);
    const longer = viclipDir(
      { input: before.mul(9), output: after.mul(0.1) },
      { input: was.mul(4), output: is.mul(0.5) },
    );
    // float32 of the products
    expect(longer).toBeCloseTo(plain, 6);
  });

  test("does not depend on which of two is called the video", () => {
    const there = viclipDir({ input: before, output: after }, captions);
    expect(viclipDir(captions, { input: before, output: after })).toBeCloseTo(there, 12);
  });

  test("is 0 for a change at a right angle, and where nothing changes", () => {
    const [x, y, z] = [rows([1, 0, 0]), rows([0, 1, 0]), rows([0, 0, 1])];
    // y − x is at a right angle to 2z − x − y, brought to lengths
    const halfway = x.add(y);
    expect(viclipDir({ input: x, output: y }, { input: halfway, output: z })).toBeCloseTo(0, 7);
    expect(viclipDir({ input: before, output: before }, captions)).toBe(0);
    expect(viclipDir({ input: before, output: after }, { input: was, output: was })).toBe(0);
  });
});

describe("viclipOut", () => {
  test("is the cosine of video and caption", () => {
    expect(viclipOut(rows([3, 0]), rows([1, Math.sqrt(3)]))).toBeCloseTo(0.5, 6);
    expect(viclipOut(random(1, 1), random(1, 1).mul(3))).toBeCloseTo(1, 12);
  });
});
