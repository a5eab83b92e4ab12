import { noGrad } from "../engine/autodiff.ts";
import { ConfigError } from "../engine/errors.ts";
import { persist, tensorScope } from "../engine/scope.ts";
import { dispatch, dispatchMany, dispatchRaw, Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";

/** What changes weights by the gradients that `backward` left in them. */
export interface Optimizer {
  /** Updates made so far; a checkpoint restores it. */
  updates: number;
  /** All that is remembered from update to update, by name: what a checkpoint needs. */
  moments(): Parameters;
  /** Scales all gradients to at most `clip` in global norm (0: leaves them). Returns the norm before. */
  clipGradients(clip: number): number;
  /** One update from the gradients; none, and none counted, where there are none. */
  update(learningRate: number): void;
  clearGradients(): void;
}

/** Knobs of AdamW that do not change from step to step. */
export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Decoupled decay per unit of learning rate, for weights with two or more axes. */
  readonly weightDecay: number;
  /** Factor of the learning rate of single weights, by name; 1 where absent. */
  readonly rates?: Readonly<Record<string, number>>;
}

/** A weight with what the optimizer remembers of it. */
interface Slot {
  readonly weight: Tensor;
  /** Moving mean of the gradient. */
  readonly mean: Tensor;
  /** Moving mean of the squared gradient. */
  readonly square: Tensor;
  /** Factor of the learning rate. */
  readonly rate: number;
}

/**
 * AdamW (Loshchilov and Hutter, 2019) on float32 leaves, in place.
 *
 * Whole lists go through `_foreach_` operators: a dozen calls a step, however many weights there are.
 * Weights without a gradient keep their value and moments. Bias correction counts the updates of the
 * optimizer, not of each weight.
 */
export class AdamW implements Optimizer {
  updates = 0;
  readonly #slots: ReadonlyMap<string, Slot>;
  readonly #options: AdamWOptions;

  constructor(weights: Parameters, options: AdamWOptions) {
    this.#options = options;
    const { rates = {} } = options;
    this.#slots = new Map(
      [...weights].map(([name, weight]) => [name, slotOf(name, weight, rates[name] ?? 1)]),
    );
  }

  /** The moments by name, `mean.<weight>` and `square.<weight>`. */
  moments(): Parameters {
    const named = [...this.#slots].flatMap(([name, { mean, square }]): [string, Tensor][] => [
      [`mean.${name}`, mean],
      [`square.${name}`, square],
    ]);
    return new Map(named);
  }

  clipGradients(clip: number): number {
    return clipGradients(
      [...this.#slots.values()].map(({ weight }) => weight),
      clip,
    );
  }

  update(learningRate: number): void {
    using _ = tensorScope();
    const found = withGradient(this.#slots.values());
    if (found.length === 0) return;
    this.updates++;
    noGrad(() => this.#apply(found, learningRate));
  }

  clearGradients(): void {
    for (const { weight } of this.#slots.values()) weight.clearGrad();
  }

  #apply(found: readonly { slot: Slot; gradient: Tensor }[], learningRate: number): void {
    const { betas, epsilon, weightDecay } = this.#options;
    const [beta1, beta2] = betas;
    const weights = found.map(({ slot }) => slot.weight);
    const means = found.map(({ slot }) => slot.mean);
    const squares = found.map(({ slot }) => slot.square);
    const gradients = found.map(({ gradient }) => gradient);
    const decayed = weights.filter((weight) => weight.shape.length >= 2);
    if (weightDecay > 0 && decayed.length > 0) {
      dispatchRaw("aten::_foreach_mul_.Scalar", decayed, 1 - learningRate * weightDecay);
    }
    dispatchRaw("aten::_foreach_mul_.Scalar", means, beta1);
    dispatchRaw("aten::_foreach_add_.List", means, gradients, 1 - beta1);
    dispatchRaw("aten::_foreach_mul_.Scalar", squares, beta2);
    dispatchRaw("aten::_foreach_addcmul_.Scalar", squares, gradients, gradients, 1 - beta2);
    const roots = dispatchMany("aten::_foreach_sqrt", squares);
    dispatchRaw("aten::_foreach_div_.Scalar", roots, Math.sqrt(1 - beta2 ** this.updates));
    dispatchRaw("aten::_foreach_add_.Scalar", roots, epsilon);
    const rate = learningRate / (1 - beta1 ** this.updates);
    const moves = found.map(({ slot }) => -rate * slot.rate);
    dispatchRaw("aten::_foreach_addcdiv_.ScalarList", weights, means, roots, moves);
  }
}

function slotOf(name: string, weight: Tensor, rate: number): Slot {
  return { weight, mean: memoryFor(name, weight), square: memoryFor(name, weight), rate };
}

/** Zeros to remember something of the float32 weight `name` in, laid out like it. */
export function memoryFor(name: string, weight: Tensor): Tensor {
  if (weight.dtype !== "float32") {
    throw new ConfigError(
      `expected float32 master weights to train, but ${name} is ${weight.dtype}`,
    );
  }
  return persist(dispatch("aten::zeros_like", weight.detach()));
}

/** The slots whose weight has a gradient, with it; call it inside a scope. */
export function withGradient<S extends { readonly weight: Tensor }>(
  slots: Iterable<S>,
): { slot: S; gradient: Tensor }[] {
  return [...slots].flatMap((slot) => {
    const gradient = slot.weight.grad;
    return gradient ? [{ slot, gradient }] : [];
  });
}

/** Scales the gradients of `weights` to at most `clip` in global norm (0: leaves them). Returns the norm before. */
export function clipGradients(weights: Iterable<Tensor>, clip: number): number {
  using _ = tensorScope();
  const found = [...weights].flatMap((weight) => weight.grad ?? []);
  if (found.length === 0) return 0;
  const norm = globalNorm(found);
  if (clip > 0 && norm > clip) {
    noGrad(() => dispatchRaw("aten::_foreach_mul_.Scalar", found, clip / norm));
  }
  return norm;
}

/** Euclidean length of all elements of all tensors together; call it inside a scope. */
export function globalNorm(tensors: readonly Tensor[]): number {
  return Tensor.stack(dispatchMany("aten::_foreach_norm.Scalar", tensors, 2), 0)
    .norm()
    .item();
}
