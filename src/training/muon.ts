import { noGrad } from "../engine/autodiff.ts";
import { dims } from "../engine/axes.ts";
import { tensorScope } from "../engine/scope.ts";
import { isFastInBfloat16 } from "../engine/settings.ts";
import { dispatch, dispatchMany, dispatchRaw, type Float, Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";
import {
  AdamW,
  type AdamWOptions,
  clipGradients,
  memoryFor,
  type Optimizer,
  withGradient,
} from "./optimizer.ts";

/** Knobs of Muon that do not change from step to step: those of the AdamW beside it, and a precision. */
export interface MuonOptions extends AdamWOptions {
  /** What matrices are orthogonalised in; bfloat16 only where their device gains from it. */
  readonly precision: "float32" | "bfloat16";
}

/** Decay of the moving mean of the gradient. */
const MOMENTUM = 0.95;
/** Weights whose smaller side is below this are left to AdamW, as are those with a rate of their own. */
const LEAST_SIDE = 32;
/** Root mean square of an update per unit of learning rate: about AdamW's (Liu et al., 2025, §2.2). */
const UPDATE_SIZE = 0.2;
/** Jordan's quintic `a·s + b·s³ + c·s⁵`: steep at 0, and near 1 after `ITERATIONS`. */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;
const EPSILON = 1e-7;

/** A weight read as a matrix, with what the optimizer remembers of it. */
interface Slot {
  readonly weight: Tensor;
  /** Moving mean of the gradient, shaped like the weight. */
  readonly momentum: Tensor;
  /** `[out, rest]`. */
  readonly sides: readonly [number, number];
}

/** A slot with what its weight is to be moved along. */
interface Step {
  readonly slot: Slot;
  readonly direction: Tensor;
}

/**
 * Muon (Jordan et al., 2024) on float32 leaves, in place: matrices are moved by their orthogonalised momentum.
 *
 * Every weight with two or more axes is read as the matrix `[out, rest]`. Where both sides are 32 or more it is moved by
 * `−η·0.2·√max(out, rest)·O`, where `O` is about the orthogonal matrix nearest to Nesterov's momentum: with that factor,
 * rates and decay are AdamW's (Liu et al., 2025, "Muon is scalable for LLM training"). AdamW moves all other weights.
 */
export class Muon implements Optimizer {
  updates = 0;
  readonly #weights: Parameters;
  readonly #slots: ReadonlyMap<string, Slot>;
  /** Of the weights that are no such matrices. */
  readonly #adam: AdamW;
  readonly #options: MuonOptions;

  constructor(weights: Parameters, options: MuonOptions) {
    this.#weights = weights;
    this.#options = options;
    const slots = [...weights].flatMap(([name, weight]): [string, Slot][] => {
      const sides = sidesOf(weight);
      if (Math.min(...sides) < LEAST_SIDE || options.rates?.[name] !== undefined) return [];
      return [[name, { weight, momentum: memoryFor(name, weight), sides }]];
    });
    this.#slots = new Map(slots);
    const rest = [...weights].filter(([name]) => !this.#slots.has(name));
    this.#adam = new AdamW(new Map(rest), options);
  }

  /** By name: `momentum.<weight>` of the matrices, `mean.<weight>` and `square.<weight>` of the rest. */
  moments(): Parameters {
    const own = [...this.#slots].map(([name, { momentum }]): [string, Tensor] => [
      `momentum.${name}`,
      momentum,
    ]);
    return new Map([...own, ...this.#adam.moments()]);
  }

  clipGradients(clip: number): number {
    return clipGradients(this.#weights.values(), clip);
  }

  update(learningRate: number): void {
    using _ = tensorScope();
    const found = withGradient(this.#slots.values());
    // One count for both: it is restored from checkpoints, and goes on where only matrices have gradients
    this.#adam.updates = this.updates;
    this.#adam.update(learningRate);
    if (found.length > 0) noGrad(() => this.#apply(found, learningRate));
    if (found.length > 0 || this.#adam.updates > this.updates) this.updates++;
  }

  clearGradients(): void {
    for (const weight of this.#weights.values()) weight.clearGrad();
  }

  #apply(found: readonly { slot: Slot; gradient: Tensor }[], learningRate: number): void {
    const { weightDecay, precision } = this.#options;
    const momenta = found.map(({ slot }) => slot.momentum);
    const gradients = found.map(({ gradient }) => gradient);
    const directions = dispatchMany("aten::_foreach_mul.Scalar", gradients, 1 - MOMENTUM);
    dispatchRaw("aten::_foreach_mul_.Scalar", momenta, MOMENTUM);
    dispatchRaw("aten::_foreach_add_.List", momenta, directions);
    // Nesterov: the mean as it would be if this gradient came once more
    dispatchRaw("aten::_foreach_add_.List", directions, momenta, MOMENTUM);
    const steps = directions.map((direction, index) => ({ slot: found[index]!.slot, direction }));
    const groups = [...Map.groupBy(steps, ({ slot }) => slot.sides.join()).values()];
    const weights = groups.flat().map(({ slot }) => slot.weight);
    const moves = groups.flatMap((group) => movesOf(group, precision));
    if (weightDecay > 0) {
      dispatchRaw("aten::_foreach_mul_.Scalar", weights, 1 - learningRate * weightDecay);
    }
    dispatchRaw("aten::_foreach_add_.List", weights, moves, -learningRate);
  }
}

/** What weights of the same sides are moved by per unit of learning rate: one product for all of them, not one each. */
function movesOf(group: readonly Step[], precision: MuonOptions["precision"]): Tensor[] {
  const { weight, sides } = group[0]!.slot;
  const stack = Tensor.stack(
    group.map(({ direction }) => direction.reshape(sides)),
    0,
  );
  const dtype = isFastInBfloat16(weight.device) ? precision : "float32";
  const moves = orthogonalised(stack, dtype).mul(UPDATE_SIZE * Math.sqrt(Math.max(...sides)));
  return dispatchMany("aten::unbind.int", moves, 0).map((move, index) =>
    move.reshape(group[index]!.slot.weight.shape),
  );
}

/**
 * About the orthogonal matrix nearest to each of `matrices`, in float32: singular vectors stay, singular values become
 * 0.7 to 1.2, those too small to tell from rounding aside. Five Newton-Schulz iterations, computed in `precision`.
 */
export function orthogonalised(
  matrices: Float<"k m n">,
  precision: MuonOptions["precision"],
): Float<"k m n"> {
  const { m, n } = dims(matrices, "_ m n");
  // Products with the transposed are smallest with the shorter side first
  const wide = m > n ? matrices.transpose(1, 2) : matrices;
  const size = dispatch("aten::linalg_vector_norm", wide, 2, [1, 2], true).clamp(EPSILON, null);
  let x = wide.div(size).to(precision);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gram = x.matmul(x.transpose(1, 2));
    const polynomial = dispatch("aten::baddbmm", gram, gram, gram, B, C);
    x = dispatch("aten::baddbmm", x, polynomial, x, A);
  }
  return (m > n ? x.transpose(1, 2).contiguous() : x).to("float32");
}

/** `weight` as the matrix `[out, rest]`; a vector has one column. */
function sidesOf({ shape, size }: Tensor): [number, number] {
  const out = shape[0] ?? 1;
  return [out, size / out];
}
