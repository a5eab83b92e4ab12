import { expect, test } from "vitest";
import { gainsFromBfloat16, processorFlags } from "./processor.ts";

test("a processor's flags are those of the first one listed", () => {
  const cpuInfo = "processor\t: 0\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nflags\t\t: fpu avx512f\n";
  expect(processorFlags(cpuInfo)).toEqual(new Set(["fpu", "avx2"]));
  expect(processorFlags("")).toEqual(new Set());
});

test("bfloat16 is a gain on a GPU, and on a processor with instructions for it", () => {
  const old = processorFlags("flags: avx2 avx512f avx512_vnni");
  expect(gainsFromBfloat16("cpu", old)).toBe(false);
  expect(gainsFromBfloat16("cuda:0", old)).toBe(true);
  expect(gainsFromBfloat16("cpu", new Set(["avx2", "amx_bf16"]))).toBe(true);
  expect(gainsFromBfloat16("cpu", new Set(["avx2", "avx512_bf16"]))).toBe(true);
});
