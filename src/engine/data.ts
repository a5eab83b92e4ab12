import type { DType } from "./dtype.ts";

/** Plain nested-free data for a tensor. */
export type Data =
  | readonly number[]
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array;

/** The values as a typed array, and the dtype it holds: `dtype` for plain numbers where it has an array of its own. */
export function typedArray(
  data: Data,
  dtype: DType | undefined,
): { array: ArrayBufferView; dtype: DType } {
  if (data instanceof Float32Array) return { array: data, dtype: "float32" };
  if (data instanceof Float64Array) return { array: data, dtype: "float64" };
  if (data instanceof Int32Array) return { array: data, dtype: "int32" };
  if (data instanceof BigInt64Array) return { array: data, dtype: "int64" };
  if (data instanceof Uint8Array) return { array: data, dtype: "uint8" };
  if (dtype === "int64") return { array: BigInt64Array.from(data, BigInt), dtype };
  if (dtype === "int32") return { array: Int32Array.from(data), dtype };
  if (dtype === "float64") return { array: Float64Array.from(data), dtype };
  return { array: Float32Array.from(data), dtype: "float32" };
}
