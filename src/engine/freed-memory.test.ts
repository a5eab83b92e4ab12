import { expect, test } from "vitest";
import { returnFreedMemory } from "./freed-memory.ts";
import { scoped, tensorScope } from "./scope.ts";
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

test("gives a tensor the place that one of its size has left", () => {
  using _ = tensorScope();
  returnFreedMemory();
  const before = held();
  // a small tensor stays behind each large one, so that their places cannot join
  for (let round = 0; round < 8; round++)
    scoped(() => {
      Tensor.ones([64 * (MEBI / 4)]);
      return Tensor.ones([256]);
    });
  // eight places of 64 MiB otherwise; other allocations may break one or another
  expect(held() - before).toBeLessThan(3 * 64);
});
