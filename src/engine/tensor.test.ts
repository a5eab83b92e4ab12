import { describe, expect, test } from "vitest";
import { ShapeError } from "./errors.ts";
import { tensorScope } from "./scope.ts";
import { hasOperator } from "./operators.ts";
import { dispatch, dispatchMany, dispatchRaw, Tensor } from "./tensor.ts";

const values = (x: Tensor): number[] => [...x.toFloat32Array()];

describe("dispatch", () => {
  test("calls an operator by its schema name", () => {
    const sum = dispatch("aten::add.Tensor", Tensor.from([1, 2], [2]), Tensor.from([10, 20], [2]));
    expect(values(sum)).toEqual([11, 22]);
  });

  test("fills missing trailing arguments with the schema's defaults", () => {
    const x = Tensor.from([1, 2, 3, 4], [2, 2]);
    expect(values(dispatch("aten::add.Tensor", x, x))).toEqual([2, 4, 6, 8]);
    expect(values(dispatch("aten::add.Tensor", x, x, 10))).toEqual([11, 22, 33, 44]);
    // alpha is skipped by undefined, as by leaving it out.
    expect(values(dispatch("aten::sum.dim_IntList", x, [1], undefined))).toEqual([3, 7]);
  });

  test("takes tensor lists, and null where a tensor is optional", () => {
    const x = Tensor.ones([1, 1, 3, 3]);
    const kernel = Tensor.ones([1, 1, 3, 3]);
    expect(values(dispatch("aten::conv2d", x, kernel, null))).toEqual([9]);
    expect(dispatch("aten::cat", [x, x], 0).shape).toEqual([2, 1, 3, 3]);
  });

  test("returns several tensors, or plain values", () => {
    const pair = dispatchMany("aten::max.dim", Tensor.from([3, 9, 4], [3]), 0);
    expect(pair.map((tensor) => tensor.item())).toEqual([9, 1]);
    expect(dispatchRaw("aten::equal", Tensor.ones([2]), Tensor.ones([2]))).toBe(true);
  });

  test("keeps libtorch's sentence and adds the operator and what it was given", () => {
    const multiply = (): Tensor => Tensor.ones([2, 3]).matmul(Tensor.ones([4, 5]));
    expect(multiply).toThrow(/mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)/);
    expect(multiply).toThrow(/aten::matmul\(Float\[2, 3\], Float\[4, 5\]\)/);
  });

  test("names what is missing, what is too much, and what does not exist", () => {
    expect(() => dispatch("aten::matmul", Tensor.ones([2, 2]))).toThrow(
      /argument 'other' is missing/,
    );
    expect(() => dispatch("aten::neg", Tensor.ones([1]), 1, 2)).toThrow(
      /aten::neg takes 1 arguments, got 3/,
    );
    expect(() => dispatch("aten::no_such_thing")).toThrow(
      /this libtorch has no operator aten::no_such_thing/,
    );
    expect(() => dispatch("aten::select.int", Tensor.ones([2]), 0, 0.5)).toThrow(
      /expected a whole number, got 0.5/,
    );
  });

  test("knows which operators there are", () => {
    expect(hasOperator("aten::conv2d")).toBe(true);
    expect(hasOperator("aten::add.Tensor")).toBe(true);
    expect(hasOperator("aten::add.Nonsense")).toBe(false);
  });
});

describe("a tensor", () => {
  test("refuses to be used after its scope has ended", () => {
    let leaked: Tensor | undefined;
    {
      using _ = tensorScope();
      leaked = Tensor.ones([2]);
    }
    expect(() => leaked.add(1)).toThrow(/this tensor was already freed by its scope/);
    expect(() => leaked.toFloat32Array()).toThrow(/already freed/);
  });

  test("holds what it was made from, bit for bit", () => {
    expect(new Float64Array(Tensor.from([0.1], [1], "float64").toBytes())[0]).toBe(0.1);
    expect(new BigInt64Array(Tensor.from([2 ** 40 + 1], [1], "int64").toBytes())[0]).toBe(
      2n ** 40n + 1n,
    );
    expect(new Int32Array(Tensor.from([16777217], [1], "int32").toBytes())[0]).toBe(16777217);
    expect(Tensor.from(new Uint8Array([7, 255]), [2]).dtype).toBe("uint8");
    const window = new Float32Array([1, 2, 3, 4]).subarray(2);
    expect(values(Tensor.from(window, [2]))).toEqual([3, 4]);
  });

  test("refuses data that does not fill its shape", () => {
    expect(() => Tensor.from([1, 2, 3], [2, 2])).toThrow(ShapeError);
    expect(() => Tensor.from([1, 2, 3], [2, 2])).toThrow(
      "expected 4 values for shape [2 2], got 3",
    );
  });

  test("tells its shape, dtype, device and size", () => {
    const x = Tensor.zeros([2, 0, 3], "int64");
    expect([x.shape, x.dtype, x.device, x.size]).toEqual([[2, 0, 3], "int64", "cpu", 0]);
    expect(x.toDevice("cpu")).toBe(x);
  });

  test("gives the value of one element exactly, and only of one", () => {
    expect(Tensor.from([16777217], [1], "int64").item()).toBe(16777217);
    expect(Tensor.from([0.1], [1, 1], "float64").item()).toBe(0.1);
    expect(Tensor.scalar(0.5).to("bfloat16").item()).toBe(0.5);
    expect(() => Tensor.ones([2, 1]).item()).toThrow("expected one element, got shape [2 1]");
  });

  test("does arithmetic with tensors and numbers", () => {
    const x = Tensor.from([1, -2, 4], [3]);
    expect(values(x.addScaled(Tensor.ones([3]), 0.5))).toEqual([1.5, -1.5, 4.5]);
    expect(values(x.lerp(Tensor.zeros([3]), 0.25))).toEqual([0.75, -1.5, 3]);
    expect(values(x.sub(1).mul(x).div(2))).toEqual([0, 3, 6]);
    expect(values(x.clamp(-1, null))).toEqual([1, -1, 4]);
    expect(values(Tensor.where(x.gt(0), x, Tensor.zeros([3])))).toEqual([1, 0, 4]);
  });

  test("changes in place only where asked", () => {
    const x = Tensor.from([1, 2], [2]);
    const view = x.narrow(0, 1, 1);
    x.blendInPlace(Tensor.from([10, 20], [2]), 0.5, 0.1);
    expect(values(x)).toEqual([1.5, 3]);
    expect(values(view)).toEqual([3]);
    x.copyFrom(Tensor.zeros([2]));
    expect(values(view)).toEqual([0]);
  });

  test("keeps its values when laid out with channels last", () => {
    const x = Tensor.arange(24).to("float32").reshape([1, 2, 3, 4]);
    expect(values(x.channelsLast())).toEqual(values(x));
  });
});
