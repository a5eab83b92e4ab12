import { availableParallelism } from "node:os";
import { defaultDevice } from "./device.ts";
import { door } from "./native.ts";
import { dtypeCode, type DType } from "./dtype.ts";
import { gainsFromBfloat16, physicalCores, processorFlags, readCpuInfo } from "./processor.ts";

/** What the loaded libtorch says of itself. */
export interface EngineInfo {
  /** e.g. `1.13.1` */
  readonly version: string;
  readonly threads: number;
  /** Threads of a product of matrices by OpenBLAS; null where another library multiplies, on `threads`. */
  readonly blasThreads: number | null;
  /** Tensors alive behind the door. */
  readonly liveTensors: number;
  readonly cudaDevices: number;
  /** libtorch's own description of its parallel back ends, its libraries and the CPU capability that it uses. */
  readonly configuration: string;
}

/** Asks the loaded libtorch about itself, as it is at the moment. */
export function engineInfo(): EngineInfo {
  const [version, threads, liveTensors, cudaDevices, configuration, blasThreads] =
    door().information();
  return { version, threads, blasThreads, liveTensors, cudaDevices, configuration };
}

/** As it was set last; undefined as long as libtorch has chosen. */
let threads: number | undefined;
let isLimited = false;

/**
 * Has operators run on every core that there is, for networks of full size; nothing where `OMP_NUM_THREADS` is set, or
 * where a GPU computes.
 *
 * libtorch takes half of the processors by itself, as if each core had two: one of two on many virtual machines.
 */
export function useAllCores(): void {
  if (process.env["OMP_NUM_THREADS"] !== undefined || defaultDevice() !== "cpu") return;
  setThreads(physicalCores(readCpuInfo(), availableParallelism()));
}

/** Has operators run on `count` threads; where that is 0, on as many as `OMP_NUM_THREADS` says, or one for each processor. */
export function useThreads(count: number): void {
  if (count > 0) setThreads(count);
  else if (process.env["OMP_NUM_THREADS"] === undefined) setThreads(availableParallelism());
}

/** Sets the number of threads of one operator, OpenBLAS's among them, which takes every processor by itself. */
export function setThreads(count: number): void {
  door().setThreads(count);
  threads = count;
}

/**
 * Runs `work` with operators of one thread each: where they are too small to share, and the other processors have work of
 * their own. Loops over elements alone are meant, not convolutions and products of matrices.
 */
export function onOneThread<T>(work: () => T): T {
  if (isLimited) return work();
  threads ??= engineInfo().threads;
  isLimited = true;
  door().limitThreads(1);
  try {
    return work();
  } finally {
    door().limitThreads(threads);
    isLimited = false;
  }
}

/**
 * Whether a GPU times its ways to convolve for every new shape and keeps the fastest: seconds at the start of a program,
 * a quarter to a third off every step of a training. Without a GPU it changes nothing.
 */
export function setTunedConvolutions(enabled: boolean): void {
  door().setTunedConvolutions(enabled);
}

type AutocastDevice = "cpu" | "cuda";
/** The kind of `device` (`cpu`, `cuda:0`). */
function autocastDevice(device: string): AutocastDevice {
  return device.startsWith("cuda") ? "cuda" : "cpu";
}

type Precisions = ReadonlyMap<AutocastDevice, DType>;

let active: Precisions = new Map();

function apply(wanted: Precisions): void {
  for (const device of new Set([...active.keys(), ...wanted.keys()])) {
    const before = active.get(device);
    const after = wanted.get(device);
    if (before === after) continue;
    // Leaving a region is what makes libtorch forget the weights it has cast.
    if (isCast(before)) door().setAutocast(device, false, dtypeCode(before));
    if (isCast(after)) door().setAutocast(device, true, dtypeCode(after));
  }
  active = wanted;
}

/** Whether a region casts; one of float32 says that nothing is to be cast, and casts nothing. */
function isCast(dtype: DType | undefined): dtype is DType {
  return dtype !== undefined && dtype !== "float32";
}

/** The precisions of the innermost `autocast`, to be restored by `withPrecisions`. */
export function currentPrecisions(): Precisions {
  return active;
}

/** The type that convolutions and matrix products on `device` (`cpu`, `cuda:0`) are computed in at the moment. */
export function computingType(device: string): DType {
  return active.get(autocastDevice(device)) ?? "float32";
}

/** Runs `work` in the precisions that `currentPrecisions` told of. */
export function withPrecisions<T>(precisions: Precisions, work: () => T): T {
  const before = active;
  apply(precisions);
  try {
    return work();
  } finally {
    apply(before);
  }
}

/** Drops the weights cast so far: those cast while no graph was recorded would carry no gradient. */
export function forgetCastWeights(): void {
  const before = active;
  apply(new Map());
  apply(before);
}

/**
 * Runs `work` with convolutions and matrix products in `dtype`; everything else keeps its own.
 *
 * Weights stay float32 and are cast once per region. Regions nest: `float32` switches an outer one off
 * and null leaves it as it is.
 */
export function autocast<T>(
  dtype: DType | null,
  work: () => T,
  device: AutocastDevice = autocastDevice(defaultDevice()),
): T {
  if (dtype === null) return work();
  return withPrecisions(new Map(active).set(device, dtype), work);
}

const ownFlags = processorFlags(readCpuInfo());

/** Whether this machine's `device` (`cpu`, `cuda:0`) is faster in bfloat16. */
export function isFastInBfloat16(device: string): boolean {
  return gainsFromBfloat16(device, ownFlags);
}

/** What `inFastPrecision` computes in on `device` (`cpu`, `cuda:0`) where no region encloses it. */
export function fastType(device: string, flags = ownFlags): "bfloat16" | "float32" {
  return gainsFromBfloat16(device, flags) ? "bfloat16" : "float32";
}

/**
 * Runs `work` with convolutions and matrix products in bfloat16 where `device` gains from it: what inference chooses on
 * its own. A region that encloses it has chosen already: a training's `precision` holds for all that it computes.
 */
export function inFastPrecision<T>(device: string, work: () => T, flags = ownFlags): T {
  const kind = autocastDevice(device);
  return active.has(kind) ? work() : autocast(fastType(device, flags), work, kind);
}
