import type { Denoiser } from "../../src/diffusion/denoiser.ts";
import type { Schedule } from "../../src/diffusion/schedule.ts";
import type { Tensor } from "../../src/engine/tensor.ts";

/** Data drawn from N(mean, spread²), every element alone: the denoiser and its flow in closed form. */
export class GaussianData {
  readonly #mean: number;
  readonly #spread: number;
  readonly #schedule: Schedule;

  constructor(mean: number, spread: number, schedule: Schedule) {
    this.#mean = mean;
    this.#spread = spread;
    this.#schedule = schedule;
  }

  /** The standard deviation of the noised data at time t. */
  spreadAt(t: number): number {
    return Math.hypot(this.#schedule.alpha(t) * this.#spread, this.#schedule.sigma(t));
  }

  /** The best possible denoiser, E[x0 | xt]. */
  denoiser<Condition>(): Denoiser<Condition> {
    return {
      predict: (xt, t) => {
        const alpha = this.#schedule.alpha(t);
        const variance = this.spreadAt(t) ** 2;
        const offset = xt.sub(alpha * this.#mean);
        return {
          x0: offset.mul((alpha * this.#spread ** 2) / variance).add(this.#mean),
          noise: offset.mul(this.#schedule.sigma(t) / variance),
        };
      },
    };
  }

  /** Where the probability-flow ODE carries `x` from time `from` to time `to`: an affine map. */
  flow(x: Tensor, from: number, to: number): Tensor {
    const offset = x.sub(this.#schedule.alpha(from) * this.#mean);
    return offset
      .mul(this.spreadAt(to) / this.spreadAt(from))
      .add(this.#schedule.alpha(to) * this.#mean);
  }
}
