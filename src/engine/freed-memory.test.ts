import { expect, test } from "vitest";
import { returnFreedMemory } from "./freed-memory.ts";
import { tensorScope } from "./scope.ts";
import { Tensor } from "./tensor.ts";

const MEBI = 1 << 20;

/** MiB that the process holds. */
function held(): number {
  return process.memoryUsage.rss() / MEBI;
}

/** Makes tensors of `sizes` MiB in float32 and frees them again. */
function makeAndFree(sizes: readonly number[]): void {
  using _ = tensorScope();
  for (const size of sizes) Tensor.ones([size * (MEBI / 4)]);
}

test("keeps the memory of freed tensors, large ones too, until it is asked to return it", () => {
  returnFreedMemory();
  const before = held();
  makeAndFree([16, 256]); // 256 MiB: more than glibc keeps on its own
  expect(held() - before).toBeGreaterThan(250);
  returnFreedMemory();
  expect(held() - before).toBeLessThan(100);
});
