import { expect, test } from "vitest";
import { Tensor } from "../engine/tensor.ts";
import { precisionWarning } from "./precision-warning.ts";

const stage = { trainable: new Map([["weight", Tensor.zeros([1])]]) };

test("bfloat16 where it is slow is warned of, with the setting to use", () => {
  const asked: string[] = [];
  const isFast = (device: string): boolean => {
    asked.push(device);
    return false;
  };
  expect(precisionWarning({ precision: "bfloat16" }, stage, isFast)).toMatch(/precision=float32$/);
  expect(asked).toEqual(["cpu"]);
});

test("there is nothing to say of float32, or of bfloat16 where it is fast", () => {
  expect(precisionWarning({ precision: "float32" }, stage, () => false)).toBeUndefined();
  expect(precisionWarning({ precision: "bfloat16" }, stage, () => true)).toBeUndefined();
});
