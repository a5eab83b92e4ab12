import { expect, test } from "vitest";
import { Rng } from "../engine/random.ts";
import { defaultDevice } from "../engine/device.ts";
import { fanInUniform, formulaInit, unallocated, uninitialised, zeroInit } from "./init.ts";
import { Linear } from "./linear.ts";

test("uninitialised builds large layers at once, and leaves drawing switched on behind it", () => {
  // 1 Gi values would take minutes to draw; nobody writes them, so they take no memory either
  const large = uninitialised(() => new Linear(Rng.seed(1), 32_768, 32_768));
  expect(large.weight.shape).toEqual([32_768, 32_768]);
  const drawn = fanInUniform(Rng.seed(1), [64], 4);
  expect(drawn.abs().max().item()).toBeGreaterThan(0.4);
  expect(drawn.abs().max().item()).toBeLessThanOrEqual(0.5);
});

test("uninitialised switches drawing on again when building fails", () => {
  const fail = (): never => {
    throw new Error("no");
  };
  expect(() => uninitialised(fail)).toThrow("no");
  expect(fanInUniform(Rng.seed(1), [64], 4).norm().item()).toBeGreaterThan(1);
});

test("zeroInit makes every weight zero", () => {
  const layer = zeroInit(new Linear(Rng.seed(1), 3, 2));
  expect([...layer.parameters().values()].map((weight) => weight.norm().item())).toEqual([0, 0]);
});

test("unallocated builds layers larger than any memory, and leaves the device as it was", () => {
  const huge = unallocated(() => zeroInit(new Linear(Rng.seed(1), 1 << 22, 1 << 22)));
  expect(huge.weight.shape).toEqual([1 << 22, 1 << 22]);
  expect(huge.weight.device).toBe("meta");
  expect(defaultDevice()).toBe("cpu");
  const fail = (): never => {
    throw new Error("no");
  };
  expect(() => unallocated(fail)).toThrow("no");
  expect(fanInUniform(Rng.seed(1), [64], 4).device).toBe("cpu");
});

test("values of a formula are computed, but not for a network that a checkpoint fills", () => {
  let times = 0;
  const values = (): Float32Array => {
    times++;
    return Float32Array.of(1, 2, 3);
  };
  expect([...formulaInit([3], values).toFloat32Array()]).toEqual([1, 2, 3]);
  expect(uninitialised(() => formulaInit([3], values)).shape).toEqual([3]);
  expect(unallocated(() => formulaInit([3], values)).device).toBe("meta");
  expect(times).toBe(1);
});
