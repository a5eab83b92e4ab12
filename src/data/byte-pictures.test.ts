import { expect, test } from "vitest";
import { Rng } from "../engine/random.ts";
import {
  addDetail,
  byteDifference,
  bytesAbove,
  bytesOf,
  byteSum,
  byteTensor,
  freeBytes,
  largestByte,
  largestChannel,
} from "./byte-pictures.ts";

/** More than the engine counts at once, and no multiple of what it does. */
const length = 100_003;
const [one, other, third] = [1, 2, 3].map((seed) =>
  Uint8Array.from(Rng.seed(seed).uniforms(length), (value) => 256 * value),
) as [Uint8Array, Uint8Array, Uint8Array];

test("sums, largest bytes and bytes above a threshold are those of a plain loop", () => {
  expect(byteSum(byteTensor(one))).toBe(one.reduce((sum, value) => sum + value, 0));
  expect(largestByte(byteTensor(Uint8Array.of(3, 250, 7)))).toBe(250);
  expect(byteSum(bytesAbove(byteTensor(one), 25))).toBe(one.filter((value) => value > 25).length);
});

test("sums of any length are exact", () => {
  for (const [count, value] of [
    [0, 1],
    [1, 7],
    [4096, 255],
    [100_003, 255],
  ] as const) {
    expect(byteSum(byteTensor(new Uint8Array(count).fill(value)))).toBe(count * value);
  }
});

test("the largest channel is each pixel's own", () => {
  const rgb = Uint8Array.of(1, 2, 3, 9, 8, 7, 4, 6, 5);
  expect(bytesOf(largestChannel(byteTensor(rgb)))).toEqual(Uint8Array.of(3, 9, 6));
});

test("the difference of two pictures is that of a plain loop, whichever comes first", () => {
  const expected = one.map((value, at) => Math.abs(value - other[at]!));
  expect(bytesOf(byteDifference(byteTensor(one), byteTensor(other)))).toEqual(expected);
  expect(bytesOf(byteDifference(byteTensor(other), byteTensor(one)))).toEqual(expected);
});

test("detail is added in whole numbers and clipped to 0–255", () => {
  const expected = one.map((base, at) =>
    Math.min(255, Math.max(0, base + other[at]! - third[at]!)),
  );
  const [base, source, carried] = [one, other, third].map(byteTensor);
  expect(bytesOf(addDetail(base!, source!, carried!))).toEqual(expected);
});

test("freed bytes are gone", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  freeBytes(bytes);
  freeBytes(bytes);
  expect(bytes).toHaveLength(0);
});
