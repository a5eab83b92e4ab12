import { invariant } from "./errors.ts";

const CODES = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const;

/** Element types; the names are PyTorch's. */
export type DType = keyof typeof CODES;

const NAMES = new Map<number, DType>(
  Object.entries(CODES).map(([name, code]) => [code, name as DType]),
);

/** libtorch's number for `dtype`. */
export function dtypeCode(dtype: DType): number {
  return CODES[dtype];
}

/** The dtype behind libtorch's number. */
export function dtypeName(code: number): DType {
  const name = NAMES.get(code);
  invariant(name, `libtorch dtype ${code} has no name here`);
  return name;
}

/** Bytes per element. */
export function dtypeBytes(dtype: DType): number {
  switch (dtype) {
    case "uint8":
    case "int8":
    case "bool":
      return 1;
    case "int16":
    case "float16":
    case "bfloat16":
      return 2;
    case "int32":
    case "float32":
      return 4;
    case "int64":
    case "float64":
      return 8;
  }
}
