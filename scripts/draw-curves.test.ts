import { expect, test } from "vitest";
import { curvesOf, drawCurves, smoothed } from "./draw-curves.ts";

const METRICS = [
  '{"type":"step-end","step":1,"losses":{"velocity":1}}',
  '{"type":"step-end","step":2,"losses":{"velocity":0.5}}',
  '{"type":"validation-end","step":1,"numbers":{"velocity":0.7,"once":3}}',
  '{"type":"validation-end","step":2,"numbers":{"velocity":0.6}}',
  "",
].join("\n");

test("training losses and validation numbers are curves of their own, but for what was measured once", () => {
  expect(curvesOf(METRICS)).toEqual([
    {
      name: "training velocity",
      points: [
        [1, 1],
        [2, 0.5],
      ],
    },
    {
      name: "validation velocity",
      points: [
        [1, 0.7],
        [2, 0.6],
      ],
    },
  ]);
});

test("long runs are averaged in blocks of a hundredth", () => {
  const points = Array.from({ length: 200 }, (_, i): [number, number] => [i + 1, i % 2]);
  expect(smoothed(points)).toHaveLength(100);
  expect(smoothed(points)[0]).toEqual([1.5, 0.5]);
});

test("the picture is a PNG with two panels side by side", () => {
  const png = drawCurves(curvesOf(METRICS));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([840, 220]);
});
