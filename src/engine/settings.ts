import { door } from "./native.ts";
import { dtypeCode, type DType } from "./dtype.ts";

/** What the loaded libtorch says of itself. */
export interface EngineInfo {
  /** e.g. `1.13.1` */
  readonly version: string;
  readonly threads: number;
  /** Tensors alive behind the door. */
  readonly liveTensors: number;
  readonly cudaDevices: number;
  /** libtorch's own description of its parallel back ends and CPU capability. */
  readonly parallel: string;
}

export function engineInfo(): EngineInfo {
  const [version, threads, liveTensors, cudaDevices, parallel] = door.information();
  return { version, threads, liveTensors, cudaDevices, parallel };
}

/** Sets the number of threads of one operator. */
export function setThreads(count: number): void {
  door.setThreads(count);
}

/**
 * Runs `work` with convolutions and matrix products in `dtype`; everything else keeps its own.
 *
 * Weights stay float32 and are cast once per region.
 */
export function autocast<T>(dtype: DType | null, work: () => T, device: "cpu" | "cuda" = "cpu"): T {
  if (dtype === null || dtype === "float32") return work();
  door.setAutocast(device, true, dtypeCode(dtype));
  try {
    return work();
  } finally {
    door.setAutocast(device, false, dtypeCode(dtype));
  }
}
