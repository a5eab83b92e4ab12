import { expect, test } from "vitest";
import { peakDeviceMemory } from "./device-memory.ts";
import { engineInfo } from "./settings.ts";
import { tensorScope } from "./scope.ts";
import { Tensor } from "./tensor.ts";

const hasCuda = engineInfo().cudaDevices > 0;

test.skipIf(hasCuda)("nothing is told of a device that is not there", () => {
  expect(peakDeviceMemory()).toBeNull();
  expect(peakDeviceMemory({ forget: true })).toBeNull();
});

test.runIf(hasCuda)(
  "a tensor on the device raises the peak, which outlasts it until forgotten",
  () => {
    const bytes = 64e6;
    const before = peakDeviceMemory({ forget: true })!;
    {
      using _ = tensorScope();
      Tensor.zeros([bytes / 4], "float32", "cuda:0");
    }
    const peak = peakDeviceMemory({ forget: true })!;
    expect(peak.allocated).toBeGreaterThanOrEqual(bytes);
    expect(peak.reserved).toBeGreaterThanOrEqual(peak.allocated);
    expect(peakDeviceMemory()!.allocated).toBeLessThanOrEqual(before.allocated);
  },
);
