import { noGrad } from "../engine/autodiff.ts";
import { persist, tensorScope } from "../engine/scope.ts";
import { dispatchRaw, type Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";

/**
 * A moving average of the weights, in float32.
 *
 * `average ← d·average + (1 − d)·weight` with `d = min(decay, (1 + n) / (10 + n))` after n updates: the
 * average forgets the random start quickly and only then grows slow.
 */
export class Ema {
  /** The averages, by the weights' names. */
  readonly averages: Parameters;
  readonly #weights: Parameters;
  readonly #decay: number;

  constructor(weights: Parameters, decay: number) {
    this.#weights = weights;
    this.#decay = decay;
    this.averages = new Map([...weights].map(([name, weight]) => [name, copyOf(weight)]));
  }

  /** Takes in the weights after `updates` updates of the optimizer. */
  update(updates: number): void {
    const decay = Math.min(this.#decay, (1 + updates) / (10 + updates));
    const averages = [...this.averages.values()];
    if (averages.length === 0) return;
    noGrad(() => {
      dispatchRaw("aten::_foreach_mul_.Scalar", averages, decay);
      dispatchRaw("aten::_foreach_add_.List", averages, [...this.#weights.values()], 1 - decay);
    });
  }

  /** Runs `work` with the averages in the weights' place, and puts the weights back bit for bit. */
  async inPlace<T>(work: () => T | Promise<T>): Promise<T> {
    this.#swap();
    try {
      return await work();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const [name, weight] of this.#weights) {
      using _ = tensorScope();
      const average = this.averages.get(name)!;
      const before = weight.detach().clone();
      weight.detach().copyFrom(average);
      average.copyFrom(before);
    }
  }
}

function copyOf(weight: Tensor): Tensor {
  using _ = tensorScope();
  return persist(weight.detach().clone());
}
