import { describe, expect, test } from "vitest";
import { fitFrame, fitPlan, unfitFrame } from "./fit.ts";

type Pixel = readonly [number, number, number];

function picture(
  width: number,
  height: number,
  pixel: (x: number, y: number) => Pixel,
): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rgb.set(pixel(x, y), (y * width + x) * 3);
  }
  return rgb;
}

function worstDifference(left: Uint8Array, right: Uint8Array): number {
  return left.reduce((worst, value, index) => Math.max(worst, Math.abs(value - right[index]!)), 0);
}

describe("fitPlan", () => {
  test.each([
    [1920, 1080, { left: 0, top: 28, width: 128, height: 72 }],
    [1080, 1920, { left: 28, top: 0, width: 72, height: 128 }],
    [64, 48, { left: 0, top: 16, width: 128, height: 96 }],
    [128, 128, { left: 0, top: 0, width: 128, height: 128 }],
    [2, 1000, { left: 63, top: 0, width: 1, height: 128 }],
  ])("shows all of %i × %i, as large as fits", (width, height, plan) => {
    expect(fitPlan({ width, height }, 128)).toEqual(plan);
  });
});

describe("fitting a frame and back", () => {
  test("is the identity for a frame of the model's size", () => {
    const frame = picture(128, 128, (x, y) => [x, y, x ^ y]);
    expect(fitFrame(frame, { width: 128, height: 128 }, 128)).toBe(frame);
    expect(unfitFrame(frame, 128, { width: 128, height: 128 })).toBe(frame);
  });

  test.each([
    [320, 240],
    [97, 211],
    [3, 1],
    [1, 1],
    [1000, 1],
  ])("keeps a flat colour of %i × %i exactly", (width, height) => {
    const flat: Pixel = [200, 17, 90];
    const frame = picture(width, height, () => flat);
    const square = fitFrame(frame, { width, height }, 64);
    expect(square).toEqual(picture(64, 64, () => flat));
    expect(unfitFrame(square, 64, { width, height })).toEqual(frame);
  });

  test("averages over the area when it shrinks", () => {
    const stripes = picture(256, 256, (x) => (x % 2 === 0 ? [255, 0, 100] : [0, 255, 100]));
    const square = fitFrame(stripes, { width: 256, height: 256 }, 128);
    const mean = picture(128, 128, () => [127, 127, 100]);
    expect(worstDifference(square, mean)).toBeLessThanOrEqual(1);
  });

  test("does not shift the picture", () => {
    const ramp = picture(256, 256, (x, y) => [x, y, 0]);
    const square = fitFrame(ramp, { width: 256, height: 256 }, 128);
    const back = unfitFrame(square, 128, { width: 256, height: 256 });
    // The outermost pixels have no neighbours on one side to interpolate from.
    const inner = (rgb: Uint8Array) =>
      picture(240, 240, (x, y) => {
        const at = ((y + 8) * 256 + x + 8) * 3;
        return [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!];
      });
    expect(worstDifference(inner(back), inner(ramp))).toBeLessThanOrEqual(2);
  });

  test("repeats the edge pixels in the border", () => {
    const frame = picture(128, 64, (x, y) => [x, y * 2, 9]);
    const square = fitFrame(frame, { width: 128, height: 64 }, 128);
    const row = (y: number) => square.subarray(y * 128 * 3, (y + 1) * 128 * 3);
    expect(row(0)).toEqual(row(32));
    expect(row(127)).toEqual(row(95));
    expect(row(33)).not.toEqual(row(32));
    expect(unfitFrame(square, 128, { width: 128, height: 64 })).toEqual(frame);
    const upright = fitFrame(
      picture(64, 128, (x) => [x * 3, 1, 2]),
      { width: 64, height: 128 },
      128,
    );
    expect([upright[0], upright[32 * 3], upright[95 * 3], upright[127 * 3]]).toEqual([
      0, 0, 189, 189,
    ]);
  });

  test("gives pixels that are no squares their shape, and back", () => {
    // stored 64 × 64, shown 128 × 64
    const shape = { width: 64, height: 64, pixelAspect: 2 };
    expect(fitPlan(shape, 128)).toEqual({ left: 0, top: 32, width: 128, height: 64 });
    const flat = picture(64, 64, () => [10, 20, 30]);
    const square = fitFrame(flat, shape, 128);
    expect(square).toHaveLength(128 * 128 * 3);
    expect(unfitFrame(square, 128, shape)).toEqual(flat);
    const own = { width: 128, height: 128, pixelAspect: 2 };
    expect(
      fitFrame(
        picture(128, 128, () => [1, 2, 3]),
        own,
        128,
      ),
    ).toHaveLength(128 * 128 * 3);
    expect(fitPlan(own, 128)).toEqual({ left: 0, top: 32, width: 128, height: 64 });
  });

  test("says what is wrong with a frame of another length", () => {
    expect(() => fitFrame(new Uint8Array(10), { width: 4, height: 4 }, 8)).toThrow(
      "A 4 × 4 RGB frame has 48 bytes, got 10.",
    );
  });
});
