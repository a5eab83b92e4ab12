import { describe, expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { changedRegion } from "./changed-region.ts";

describe("the changed region", () => {
  test("holds a pixel where a single channel changes by more than 0.1", () => {
    const before = Tensor.zeros([1, 3, 1, 3]);
    const after = Tensor.from([0, 0, 0, 0, 0.09, 0.11, 0, 0, 0], [1, 3, 1, 3]);
    expect([...changedRegion(before, after).toFloat32Array()]).toEqual([0, 0, 1]);
    expect([...changedRegion(after, before).toFloat32Array()]).toEqual([0, 0, 1]);
  });

  test("is each frame's own, whichever channel changes", () => {
    const before = Tensor.zeros([2, 3, 1, 2]);
    const after = Tensor.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [2, 3, 1, 2]);
    const region = changedRegion(before, after);
    expect(region.shape).toEqual([2, 1, 1, 2]);
    expect([...region.toFloat32Array()]).toEqual([1, 0, 0, 1]);
  });
});
