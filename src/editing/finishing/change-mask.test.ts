import { expect, test } from "vitest";
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
