import { expect, test } from "vitest";
import { dtypeBytes, dtypeCode, dtypeName, type DType } from "./dtype.ts";
import { Tensor } from "./tensor.ts";

const ALL: readonly DType[] = [
  "uint8",
  "int8",
  "int16",
  "int32",
  "int64",
  "float16",
  "float32",
  "float64",
  "bool",
  "bfloat16",
];

test.each(ALL)("%s is libtorch's type of that name and width", (dtype) => {
  const zeros = Tensor.zeros([3], dtype);
  expect(zeros.dtype).toBe(dtype);
  expect(zeros.toBytes().byteLength).toBe(3 * dtypeBytes(dtype));
  expect(dtypeName(dtypeCode(dtype))).toBe(dtype);
});

test("a dtype without a name here is our defect", () => {
  expect(() => dtypeName(9)).toThrow("internal error: libtorch dtype 9 has no name here");
});
