import { expect, test } from "vitest";
import { ShapeError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import { Tensor } from "../engine/tensor.ts";
import { TimeEmbedding, sinusoids } from "./time-embedding.ts";

test("sinusoids are cosines, then sines, at frequencies from 1 to 1/10000", () => {
  const values = sinusoids(Tensor.from([3], [1]), 4).toFloat32Array();
  const expected = [Math.cos(3), Math.cos(0.03), Math.sin(3), Math.sin(0.03)];
  expected.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 5));
});

test("sinusoids of labels have the same length everywhere", () => {
  const squares = sinusoids(Tensor.from([0, 17, 999], [3]), 32)
    .square()
    .sum([1])
    .toFloat32Array();
  for (const square of squares) expect(square).toBeCloseTo(16, 3);
});

test("TimeEmbedding gives one vector per label and names labels of another shape", () => {
  const embedding = new TimeEmbedding(Rng.seed(1), 8, 12);
  expect(embedding.forward(Tensor.from([0, 999], [2])).shape).toEqual([2, 12]);
  expect(() => embedding.forward(Tensor.zeros([2, 1]))).toThrow(ShapeError);
});
