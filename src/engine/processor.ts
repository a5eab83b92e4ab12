import { readFileSync } from "node:fs";

/** What a processor can do, by the kernel's names: e.g. `avx2`. */
export type ProcessorFlags = ReadonlySet<string>;

/** The flags that `/proc/cpuinfo` lists for the first processor; none where it lists none. */
export function processorFlags(cpuInfo: string): ProcessorFlags {
  const line = /^flags\s*:(.*)$/m.exec(cpuInfo)?.[1] ?? "";
  return new Set(line.split(/\s+/).filter((flag) => flag !== ""));
}

/** `/proc/cpuinfo`; empty where there is none. */
export function readCpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "latin1");
  } catch {
    return ""; // no Linux: nothing is known
  }
}

/**
 * Cores that compute by themselves: two threads of one core count once. `allowed` is how many processors the process may use;
 * all of them are cores where `/proc/cpuinfo` does not tell.
 */
export function physicalCores(cpuInfo: string, allowed: number): number {
  const cores = cpuInfo.split("\n\n").flatMap((processor) => {
    const [core] = /^core id\s*:.*$/m.exec(processor) ?? [];
    const [socket] = /^physical id\s*:.*$/m.exec(processor) ?? [];
    return core === undefined ? [] : [`${socket} ${core}`];
  });
  const count = new Set(cores).size;
  return count === 0 ? allowed : Math.min(count, allowed);
}

/**
 * The processor whose kernels OpenBLAS is to use, by its own names; `null` where it is left to choose.
 *
 * It knows Intel's processors by their model numbers, and takes the kernels of 2004 for one younger than itself (Debian's
 * 0.3.21 for Emerald Rapids). To one that it knows it would give these, or from Cooper Lake on a later set, which adds
 * products in bfloat16; libtorch 1.13 asks it for none.
 */
export function openBlasCore(cpuInfo: string): "SkylakeX" | "Haswell" | null {
  if (!/^vendor_id\s*:\s*GenuineIntel$/m.test(cpuInfo)) return null;
  const flags = processorFlags(cpuInfo);
  const has = (...names: string[]): boolean => names.every((name) => flags.has(name));
  if (has("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd")) return "SkylakeX";
  return has("avx2", "fma") ? "Haswell" : null;
}

/** What libtorch is told to compute with, by its own name, and what a processor must have for that. */
const NEEDED_FLAGS: ReadonlyMap<string, string> = new Map([
  ["avx512", "avx512f"],
  ["avx2", "avx2"],
]);

/**
 * The instructions that `capability` (`ATEN_CPU_CAPABILITY`) takes and the processor lacks, which would end the process
 * without a word at the first operator; `null` where none are missing, or nothing is known of the processor.
 */
export function lackingVectors(cpuInfo: string, capability: string | undefined): string | null {
  const needed = NEEDED_FLAGS.get(capability ?? "");
  const flags = processorFlags(cpuInfo);
  return needed === undefined || flags.size === 0 || flags.has(needed) ? null : needed;
}

/**
 * Whether convolutions and matrix products on `device` (`cpu`, `cuda:0`) are faster in bfloat16 than in float32.
 *
 * Every GPU that libtorch drives has it. A processor without instructions for it takes several times as long, and
 * libtorch then rounds every partial sum to bfloat16 as well, so that errors grow with the length of a sum.
 */
export function gainsFromBfloat16(device: string, flags: ProcessorFlags): boolean {
  if (device.startsWith("cuda")) return true;
  return flags.has("amx_bf16") || flags.has("avx512_bf16");
}
