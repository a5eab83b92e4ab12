import { expect, test } from "vitest";
import {
  gainsFromBfloat16,
  lackingVectors,
  openBlasCore,
  physicalCores,
  processorFlags,
} from "./processor.ts";

test("a processor's flags are those of the first one listed", () => {
  const cpuInfo = "processor\t: 0\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nflags\t\t: fpu avx512f\n";
  expect(processorFlags(cpuInfo)).toEqual(new Set(["fpu", "avx2"]));
  expect(processorFlags("")).toEqual(new Set());
});

test("threads of one core are one core, and no more cores count than may be used", () => {
  const processors = (...places: [socket: number, core: number][]): string =>
    places
      .map(([s, c], n) => `processor\t: ${n}\nphysical id\t: ${s}\ncore id\t\t: ${c}\n`)
      .join("\n");
  const [both, twice] = [processors([0, 0], [0, 1]), processors([0, 0], [0, 0])];
  expect(physicalCores(both, 2)).toBe(2);
  expect(physicalCores(twice, 2)).toBe(1);
  expect(physicalCores(processors([0, 0], [1, 0], [0, 0], [1, 0]), 4)).toBe(2);
  expect(physicalCores(both, 1)).toBe(1);
  expect(physicalCores("processor\t: 0\n\nprocessor\t: 1\n", 2)).toBe(2);
});

test("bfloat16 is a gain on a GPU, and on a processor with instructions for it", () => {
  const old = processorFlags("flags: avx2 avx512f avx512_vnni");
  expect(gainsFromBfloat16("cpu", old)).toBe(false);
  expect(gainsFromBfloat16("cuda:0", old)).toBe(true);
  expect(gainsFromBfloat16("cpu", new Set(["avx2", "amx_bf16"]))).toBe(true);
  expect(gainsFromBfloat16("cpu", new Set(["avx2", "avx512_bf16"]))).toBe(true);
});

test("OpenBLAS is told the kernels of Intel's processors by their vectors, and chooses for others", () => {
  const processor = (vendor: string, flags: string): string =>
    `vendor_id\t: ${vendor}\nmodel\t\t: 207\nflags\t\t: ${flags}\n`;
  const wide = "avx2 fma avx512f avx512dq avx512bw avx512vl avx512cd";
  expect(openBlasCore(processor("GenuineIntel", wide))).toBe("SkylakeX");
  expect(openBlasCore(processor("GenuineIntel", "avx2 fma avx512f"))).toBe("Haswell");
  expect(openBlasCore(processor("GenuineIntel", "sse3"))).toBe(null);
  expect(openBlasCore(processor("AuthenticAMD", wide))).toBe(null);
  expect(openBlasCore("")).toBe(null);
});

test("vectors that a processor lacks are named, where it is known what it has", () => {
  const narrow = "flags\t\t: fpu avx2 fma\n";
  expect(lackingVectors(narrow, "avx512")).toBe("avx512f");
  expect(lackingVectors(narrow, "avx2")).toBe(null);
  expect(lackingVectors(narrow, "default")).toBe(null);
  expect(lackingVectors(narrow, undefined)).toBe(null);
  expect(lackingVectors("flags\t\t: fpu avx2 avx512f\n", "avx512")).toBe(null);
  expect(lackingVectors("flags\t\t: fpu sse3\n", "avx2")).toBe("avx2");
  expect(lackingVectors("", "avx512")).toBe(null);
});
