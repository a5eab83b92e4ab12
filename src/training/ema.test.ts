import { expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { persist } from "../engine/scope.ts";
import { Ema } from "./ema.ts";

test("follows quickly at first and slowly later", () => {
  const weight = persist(Tensor.from([0], [1]));
  const ema = new Ema(new Map([["w", weight]]), 0.9);
  const average = (): number => ema.averages.get("w")!.item();
  weight.copyFrom(Tensor.from([1], [1]));
  ema.update(1); // decay 2/11
  expect(average()).toBeCloseTo(9 / 11, 6);
  ema.update(10_000); // decay 0.9, the limit
  expect(average()).toBeCloseTo(1 - 0.9 * (2 / 11), 6);
});

test("lends its averages to the weights and puts the weights back bit for bit, also after a failure", async () => {
  const weight = persist(Tensor.from([0.1, 1e-30], [2]));
  const ema = new Ema(new Map([["w", weight]]), 0.5);
  weight.copyFrom(Tensor.from([0.3, 7], [2]));
  const before = [...weight.toFloat32Array()];
  const average = [...ema.averages.get("w")!.toFloat32Array()];
  expect(await ema.inPlace(() => [...weight.toFloat32Array()])).toEqual(average);
  await expect(ema.inPlace(() => Promise.reject(new Error("drawing failed")))).rejects.toThrow(
    "drawing failed",
  );
  expect([...weight.toFloat32Array()]).toEqual(before);
  expect([...ema.averages.get("w")!.toFloat32Array()]).toEqual(average);
});
