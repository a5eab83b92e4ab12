import type { Stage } from "../../src/training/stage.ts";

/** The batch of a step of a stage that makes it at once. */
export function batchOf<Batch>(stage: Stage<Batch>, step = 0): Batch {
  const batch = stage.nextBatch(step, 0);
  if (batch instanceof Promise) throw new TypeError("expected a batch, got a promise of one");
  return batch;
}
