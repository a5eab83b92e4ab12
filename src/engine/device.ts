import type { DeviceChoice } from "./device-choices.ts";
import { ConfigError } from "./errors.ts";
import { door } from "./native.ts";

let current = "cpu";

/** Where tensors are made that nothing else places: `cpu` until `setDefaultDevice` names another. */
export function defaultDevice(): string {
  return current;
}

/** Makes tensors on `device` (`cpu`, `cuda:0`) from now on: weights, data and noise alike. Those that exist stay. */
export function setDefaultDevice(device: string): void {
  current = device;
}

/** Runs `work` with another default device. */
export function onDevice<T>(device: string, work: () => T): T {
  const before = current;
  current = device;
  try {
    return work();
  } finally {
    current = before;
  }
}

/** Makes the chosen device the default; refuses `cuda` where libtorch finds none, and `mps`, for which there is no engine. */
export function chooseDevice(choice: DeviceChoice): void {
  if (choice === "mps") {
    throw new ConfigError(
      "expected device=auto, cpu or cuda: the engine cannot compute on Apple's GPUs (mps) yet, use device=cpu",
    );
  }
  const [, , , cudaDevices] = door().information();
  if (choice === "cuda" && cudaDevices === 0) {
    throw new ConfigError(
      "expected a CUDA device for device=cuda, but libtorch finds none: use device=cpu, or a libtorch with CUDA (docs/running.md)",
    );
  }
  setDefaultDevice(choice !== "cpu" && cudaDevices > 0 ? "cuda:0" : "cpu");
}
