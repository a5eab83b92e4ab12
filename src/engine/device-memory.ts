import { door } from "./native.ts";

/** What a GPU held at most, in bytes. */
export interface DeviceMemory {
  /** In tensors. */
  readonly allocated: number;
  /** The same with what libtorch's allocator has taken from the driver and keeps for the next tensors. */
  readonly reserved: number;
}

/**
 * The most memory of the first CUDA device that this process has held since it last began to count anew (`forget`).
 *
 * Null without such a device, and for a libtorch before 2.9.
 */
export function peakDeviceMemory({ forget = false } = {}): DeviceMemory | null {
  const peak = door().peakDeviceMemory(forget);
  return peak && { allocated: peak[0], reserved: peak[1] };
}
