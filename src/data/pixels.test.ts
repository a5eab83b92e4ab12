import { expect, test } from "vitest";
import { ShapeError } from "../engine/errors.ts";
import { Tensor } from "../engine/tensor.ts";
import { toBytes, toPixels } from "./pixels.ts";

test("every byte comes back exactly, in its frame, row, column and channel", () => {
  const bytes = Uint8Array.from({ length: 2 * 256 * 3 }, (_, i) => Math.floor(i / 3) % 256);
  const frames = [bytes.map((value, i) => (value + 7 * i) % 256), bytes];
  const pixels = toPixels(frames, 2, 256);
  expect(pixels.shape).toEqual([2, 3, 2, 256]);
  expect(toBytes(pixels)).toEqual(frames);
});

test("black is -1, white is 1, and channels come first", () => {
  const red = toPixels([Uint8Array.of(255, 0, 0)], 1, 1);
  const [r, g, b] = red.toFloat32Array();
  expect(r).toBeCloseTo(1, 6);
  expect([g, b]).toEqual([-1, -1]);
});

test("values outside the range are clipped, those between two bytes rounded", () => {
  const pixels = Tensor.from([-3, 3, 100.4 / 127.5 - 1], [1, 3, 1, 1]);
  expect(toBytes(pixels)).toEqual([Uint8Array.of(0, 255, 100)]);
});

test("a frame of another size is named with the size that was expected", () => {
  const convert = (): unknown => toPixels([new Uint8Array(12), new Uint8Array(9)], 2, 2);
  expect(convert).toThrow(new ShapeError("expected 2x2 RGB (12 bytes), got 9 bytes"));
});
