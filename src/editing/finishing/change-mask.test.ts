import { describe, expect, test } from "vitest";
import { changeMask } from "./change-mask.ts";

const size = 32;
const before = Uint8Array.from({ length: size * size * 3 }, (_, at) => 40 + (at % 7));
/** The left half of the square `by` brighter. */
const halfChanged = (by: number): Uint8Array =>
  before.map((value, at) => (Math.floor(at / 3) % size < size / 2 ? value + by : value));

/** The mask in the middle row. */
function maskAt(by: number, changed: number): (x: number) => number {
  const mask = changeMask(halfChanged(by), before, size, changed);
  return (x) => mask[(16 * size + x) * 3]!;
}

test("is 255 inside a change, 0 away from it and between the two at its edge", () => {
  const at = maskAt(200, 50);
  expect(at(4)).toBe(255);
  expect(at(28)).toBe(0);
  const edge = [15, 16, 17, 18, 19, 20].map(at);
  expect(edge.toSorted((a, b) => b - a)).toEqual(edge);
  expect(edge.some((value) => value > 0 && value < 255)).toBe(true);
});

test("is as much of a change as the difference is of what counts as a whole one", () => {
  expect(maskAt(20, 120)(4)).toBe(0);
  // halfway from 20 to 120, by the cubic step
  expect(maskAt(70, 120)(4)).toBe(128);
  expect(maskAt(120, 120)(4)).toBe(255);
});

describe("one changed pixel", () => {
  /** How much of a change at `centre` reaches `place` along one axis: spread by two, then the mean of those within two. */
  function reached(centre: number, place: number): number {
    const near = Array.from({ length: 5 }, (_, index) => place - 2 + index).filter(
      (other) => other >= 0 && other < size,
    );
    return near.filter((other) => Math.abs(other - centre) <= 2).length / near.length;
  }

  /** The mask of whole changes of single pixels, `[row, column]`, in one channel. */
  function maskOf(pixels: readonly (readonly [number, number])[], channel = 0): Uint8Array {
    const after = before.slice();
    for (const [row, column] of pixels) after[(row * size + column) * 3 + channel]! += 200;
    return changeMask(after, before, size, 120);
  }

  function wantedMask(pixels: readonly (readonly [number, number])[]): Uint8Array {
    return before.map((_, at) => {
      const [row, column] = [Math.floor(at / 3 / size), Math.floor(at / 3) % size];
      const shares = pixels.map(([down, right]) => reached(down, row) * reached(right, column));
      return Math.round(255 * Math.max(...shares));
    });
  }

  test.each([
    ["in the middle", [[16, 12]]],
    ["in a corner", [[0, 31]]],
    ["beside an edge", [[30, 1]]],
    [
      "far from another, further down and to the left",
      [
        [5, 25],
        [26, 6],
      ],
    ],
    [
      "far from another, further down and to the right",
      [
        [5, 6],
        [26, 25],
      ],
    ],
  ] as const)("%s spreads evenly along rows and columns", (_, pixels) => {
    expect(maskOf(pixels)).toEqual(wantedMask(pixels));
  });

  test.each([0, 1, 2])("is changed by its channel %i alone", (channel) => {
    expect(maskOf([[16, 12]], channel)).toEqual(wantedMask([[16, 12]]));
  });
});
