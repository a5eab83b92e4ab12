import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { UserError } from "./errors.ts";
import { lackingVectors, openBlasCore, processorFlags, readCpuInfo } from "./processor.ts";

/** The compiled door (`native/door.cc`): tensors are numbers here, and only here. */
export interface Door {
  find(name: string, overload: string): number | null;
  call(operator: number, ...args: unknown[]): unknown;
  release(handles: readonly number[]): void;
  describeTensor(
    handle: number,
  ): [dtype: number, device: string, requiresGrad: boolean, ...shape: number[]];
  fromBytes(
    buffer: ArrayBufferLike,
    byteOffset: number,
    dtype: number,
    shape: readonly number[],
  ): number;
  toBytes(handle: number): ArrayBuffer;
  gradient(handle: number): number | null;
  setGradient(handle: number, gradient: number | null): void;
  setRequiresGrad(handle: number, wanted: boolean): void;
  setGradMode(enabled: boolean): boolean;
  setAutocast(device: "cpu" | "cuda", enabled: boolean, dtype: number): void;
  setThreads(count: number): void;
  limitThreads(count: number): void;
  setTunedConvolutions(enabled: boolean): void;
  peakDeviceMemory(forget: boolean): [allocated: number, reserved: number] | null;
  returnFreedMemory(): void;
  information(): [
    version: string,
    threads: number,
    live: number,
    cudaDevices: number,
    configuration: string,
    blasThreads: number | null,
  ];
  backward(root: number, gradient: number | null, retainGraph: boolean): void;
  gradientsOf(
    roots: readonly number[],
    inputs: readonly number[],
    gradients: readonly number[],
    createGraph: boolean,
  ): (number | null)[];
  customNode(
    output: number,
    inputs: readonly number[],
    backward: (gradients: (number | null)[]) => (number | null)[],
  ): number;
}

const addonPath =
  process.env["EVE_DOOR"] ??
  fileURLToPath(new URL("../../native/build/door.node", import.meta.url));

/**
 * libtorch settles for AVX2, and OpenBLAS for SSE3 at times, unless they are told otherwise before they load.
 *
 * @throws {UserError} where the environment asks for vectors that the processor lacks.
 */
function useWidestVectors(): void {
  const cpuInfo = readCpuInfo();
  const core = openBlasCore(cpuInfo);
  if (core !== null) process.env["OPENBLAS_CORETYPE"] ??= core;
  if (processorFlags(cpuInfo).has("avx512f")) process.env["ATEN_CPU_CAPABILITY"] ??= "avx512";
  const capability = process.env["ATEN_CPU_CAPABILITY"];
  const lacking = lackingVectors(cpuInfo, capability);
  if (lacking === null) return;
  throw new UserError(
    `expected ATEN_CPU_CAPABILITY to name what this processor can do, got ${capability}, for which it lacks ${lacking}: unset it`,
  );
}

/**
 * Threads spin for milliseconds where they wait for each other, OpenMP's and those that OpenBLAS has beside them, and take
 * the processor from who has work: an edit of 6 s took 24 to 97 s beside others. OpenMP's sleep at once, OpenBLAS's after
 * 2¹⁴ cycles, some microseconds, unless the environment says how they are to wait.
 */
function waitAsleep(): void {
  process.env["OPENBLAS_THREAD_TIMEOUT"] ??= "14";
  if (process.env["OMP_WAIT_POLICY"] !== undefined) return;
  process.env["GOMP_SPINCOUNT"] ??= "0";
}

function load(): Door {
  if (!existsSync(addonPath)) {
    throw new UserError(
      "expected the native engine to be built, found none: run ./eve --setup-only, which builds what is missing",
    );
  }
  useWidestVectors();
  waitAsleep();
  try {
    return createRequire(import.meta.url)(addonPath) as Door;
  } catch (cause) {
    const [reason] = String(cause instanceof Error ? cause.message : cause).split("\n");
    throw new UserError(
      `expected the native engine to load, got ${reason}: run ./eve --setup-only, which builds it anew where libtorch has changed`,
      { cause },
    );
  }
}

let loaded: Door | undefined;

/**
 * The one door of this process. Whoever asks for it first loads libtorch, which takes seconds and hundreds of megabytes;
 * importing what may need it costs nothing.
 *
 * @throws {UserError} where the door is not built or does not load, or the environment asks for vectors that the processor
 * lacks.
 */
export function door(): Door {
  return (loaded ??= load());
}
