import { expect, test } from "vitest";
import { noGrad } from "../engine/autodiff.ts";
import { Rng, normal } from "../engine/random.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { convolve } from "./conv.ts";
import { convolveInTiles, kernelForTiles, kernelFromTiles } from "./winograd.ts";

const rng = Rng.seed(11);

test.each([
  [2, 2],
  [4, 6],
  [5, 3],
  [1, 1],
])("of pictures of %i×%i, convolves as a convolution does", (h, w) => {
  const x = normal(rng.split("x"), [3, 5, h, w]);
  const kernel = normal(rng.split("kernel"), [7, 5, 3, 3]);
  const bias = normal(rng.split("bias"), [7]);
  const found = noGrad(() => convolveInTiles(x, kernelForTiles(kernel), bias));
  expect(found.shape).toEqual([3, 7, h, w]);
  // sums of 45 products in another order, of values up to about 20
  expect(largestDifference(found, convolve(x, kernel, { padding: 1, bias }))).toBeLessThan(2e-5);
});

test("works off many pictures a few at a time", () => {
  const x = normal(rng.split("x"), [5, 1, 1024, 1024]); // 16 · 512² values each: four at a time
  const kernel = normal(rng.split("kernel"), [1, 1, 3, 3]);
  const found = noGrad(() => convolveInTiles(x, kernelForTiles(kernel), null));
  expect(largestDifference(found, convolve(x, kernel, { padding: 1 }))).toBeLessThan(2e-5);
});

test("a kernel comes back from its transformation", () => {
  const kernel = normal(rng.split("kernel"), [7, 5, 3, 3]);
  const back = kernelFromTiles(kernelForTiles(kernel));
  expect(back.shape).toEqual([7, 5, 3, 3]);
  expect(largestDifference(back, kernel)).toBeLessThan(1e-6);
});
