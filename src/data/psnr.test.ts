import { describe, expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { framePsnrs, HIGHEST_PSNR, psnr } from "./psnr.ts";

/** A clip of 2 × 2 pixels, all of a frame's values the same. */
function flat(...levels: readonly number[]): Tensor {
  return Tensor.from(
    levels.flatMap((level) => Array<number>(12).fill(level)),
    [levels.length, 3, 2, 2],
  );
}

describe("PSNR", () => {
  test("of an error of 0.1 everywhere is 20 dB", () => {
    expect(psnr(flat(0.1, 0.5), flat(0.2, 0.4))).toBeCloseTo(20, 4);
    expect(framePsnrs(flat(0.1, 0.5), flat(0.2, 0.41))[1]).toBeCloseTo(-20 * Math.log10(0.09), 4);
  });

  test("of equal clips is the highest that there is", () => {
    expect(psnr(flat(0.1), flat(0.1))).toBe(HIGHEST_PSNR);
  });

  test("of a region heeds nothing outside it, and an empty region has none", () => {
    const region = Tensor.from([1, 1, 1, 1, 0, 0, 0, 0], [2, 1, 2, 2]);
    expect(psnr(flat(0.1, 1), flat(0.2, 0), region)).toBeCloseTo(20, 4);
    expect(psnr(flat(0.1, 1), flat(0.2, 0), region.mul(0))).toBeNull();
  });
});
