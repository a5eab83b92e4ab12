import { expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { Linear } from "../nn/linear.ts";
import { Rng } from "../engine/random.ts";
import { weakened } from "./video-strength.ts";

const heard = new Linear(Rng.seed(1), 1, 1);
const deaf = new Linear(Rng.seed(2), 1, 1);
const parts = {
  temporal: { behind: (layer: object, h: Tensor) => (layer === heard ? h.mul(3) : h) },
  residuals: { down: [Tensor.scalar(4), Tensor.scalar(-2)], mid: Tensor.scalar(8) },
};
const h = Tensor.scalar(5);

test("as strong as it is, a video adapter is left alone", () => {
  expect(weakened(parts, 1)).toBe(parts);
});

test("at a quarter it adds a quarter of what it would, to states and beside them", () => {
  const { temporal, residuals } = weakened(parts, 0.25);
  expect(temporal!.behind(heard, h).item()).toBe(5 + (15 - 5) / 4);
  expect(residuals!.down.map((state) => state.item())).toEqual([1, -0.5]);
  expect(residuals!.mid.item()).toBe(2);
});

test("what it does not change stays the very state", () => {
  expect(weakened(parts, 0.25).temporal!.behind(deaf, h)).toBe(h);
});

test("a part that it lacks stays away", () => {
  expect(Object.keys(weakened({ temporal: parts.temporal }, 0.5))).toEqual(["temporal"]);
  expect(weakened({}, 0.5)).toEqual({});
});
