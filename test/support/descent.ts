import { expect } from "vitest";
import { Rng } from "../../src/engine/random.ts";
import type { Tensor } from "../../src/engine/tensor.ts";
import type { Stage } from "../../src/training/stage.ts";

/** What a step of `descend` goes along the gradients. */
const RATE = 0.01;

/**
 * Takes one step of gradient descent on `batch` by all terms alike: what is frozen must get no gradient, and the loss must
 * fall.
 */
export function descend<Batch>(stage: Stage<Batch>, batch: Batch): void {
  const loss = (): Tensor => {
    const terms = Object.values(stage.losses(batch, Rng.seed(0)));
    return terms.reduce((sum, term) => sum.add(term));
  };
  const before = loss();
  before.backward();
  for (const [name, weight] of stage.frozen) expect(weight.grad, name).toBeNull();
  for (const weight of stage.trainable.values())
    weight.detach().copyFrom(weight.detach().addScaled(weight.grad!, -RATE));
  expect(loss().item()).toBeLessThan(before.item());
}
