/** Where a run computes: `auto` is the first CUDA device where there is one, else the CPU. */
export const DEVICE_CHOICES = ["auto", "cpu", "cuda", "mps"] as const;
/** The name of where a run computes. */
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];
