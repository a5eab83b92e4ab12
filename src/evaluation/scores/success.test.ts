import { describe, expect, test } from "vitest";
import { Tensor } from "../../engine/tensor.ts";
import { outcome } from "./success.ts";

/** `frames` frames of 10 × 10 pixels; `value` gives all three channels of a pixel. */
function clip(frames: number, value: (frame: number, pixel: number) => number): Tensor {
  const data = Float32Array.from({ length: frames * 300 }, (_, at) =>
    value(Math.floor(at / 300), at % 100),
  );
  return Tensor.from(data, [frames, 3, 10, 10]);
}

const input = clip(2, () => 0.2);
/** The edit turns the first 30 pixels of each frame from 0.2 to 0.8. */
const truth = clip(2, (_, pixel) => (pixel < 30 ? 0.8 : 0.2));

describe("an edit", () => {
  test("that equals the truth is a success", () => {
    expect(outcome({ input, truth, output: truth })).toMatchObject({
      edited: true,
      kept: true,
      success: true,
      changedError: 0,
      keptError: 0,
    });
  });

  test("that copies the input keeps all and edits nothing", () => {
    const result = outcome({ input, truth, output: input });
    expect(result).toMatchObject({ edited: false, kept: true, success: false });
    expect(result.changedShare).toBeCloseTo(0.3, 6);
    expect(result.changedError).toBeCloseTo(0.6, 6);
    expect(result.inputError).toBeCloseTo(0.6, 6);
  });

  test("that destroys the rest is no success, however right the changed region is", () => {
    const output = clip(2, (_, pixel) => (pixel < 30 ? 0.8 : 1));
    const result = outcome({ input, truth, output });
    expect(result).toMatchObject({ edited: true, kept: false, success: false });
    expect(result.keptError).toBeCloseTo(0.8, 6);
  });

  test.each([
    [0.51, true],
    [0.49, false],
  ])("that reaches %d of 0.8 has edited: %s", (value, edited) => {
    const output = clip(2, (_, pixel) => (pixel < 30 ? value : 0.2));
    expect(outcome({ input, truth, output }).edited).toBe(edited);
  });

  test.each([
    [0.255, true],
    [0.265, false],
  ])("that leaves the rest at %d where 0.2 is right has kept: %s", (value, kept) => {
    const output = clip(2, (_, pixel) => (pixel < 30 ? 0.8 : value));
    expect(outcome({ input, truth, output }).kept).toBe(kept);
  });

  test("counts as edited where there is nothing to change", () => {
    expect(outcome({ input, truth: input, output: input })).toMatchObject({
      success: true,
      changedShare: 0,
      changedError: null,
    });
  });

  test("counts as kept where less than 1 % of the frames is to be kept", () => {
    const everywhere = clip(2, (frame, pixel) => (frame === 0 && pixel === 0 ? 0.2 : 0.8));
    const output = clip(2, (frame, pixel) => (frame === 0 && pixel === 0 ? 1 : 0.8));
    const result = outcome({ input, truth: everywhere, output });
    expect(1 - result.changedShare).toBeCloseTo(0.005, 6);
    expect(result).toMatchObject({ kept: true, success: true });
    expect(result.keptError).toBeCloseTo(0.8, 5);
    const both = clip(2, (_, pixel) => (pixel === 0 ? 0.2 : 0.8));
    const destroyed = outcome({ input, truth: both, output: clip(2, () => 0.8) });
    expect(destroyed.kept).toBe(false);
  });

  test("is decided once for a clip: a frame counts by how much of it changes", () => {
    const uneven = clip(2, (frame, pixel) => (pixel < (frame === 0 ? 60 : 10) ? 0.8 : 0.2));
    const onlyFirst = clip(2, (frame, pixel) => (frame === 0 && pixel < 60 ? 0.8 : 0.2));
    const onlySecond = clip(2, (frame, pixel) => (frame === 1 && pixel < 10 ? 0.8 : 0.2));
    expect(outcome({ input, truth: uneven, output: onlyFirst }).edited).toBe(true);
    expect(outcome({ input, truth: uneven, output: onlySecond }).edited).toBe(false);
  });
});
