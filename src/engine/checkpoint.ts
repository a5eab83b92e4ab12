import { canCallBack, enableGrad, isRecording, noGrad } from "./autodiff.ts";
import { door } from "./native.ts";
import { HeldTensors } from "./held-tensors.ts";
import { keep, scoped, tensorScope } from "./scope.ts";
import { currentPrecisions, withPrecisions } from "./settings.ts";
import { Tensor, dispatch, type Float } from "./tensor.ts";

type Forward = (...inputs: Tensor[]) => Tensor;

/**
 * Evaluates `forward(inputs)` without keeping its intermediates; the backward pass computes them again.
 *
 * Gradients reach `inputs` and, through `backward`, every leaf that `forward` uses. `forward` must be
 * pure: the same inputs give the same output, noise included. It is repeated in the precision it first ran in. Inputs have
 * to live until the backward pass.
 * On a GPU that takes a backward pass by `differentiate`, and what `forward` needs gradients of has to be among its inputs
 * or a leaf; elsewhere nothing is computed again there, and everything kept.
 */
export function checkpoint(forward: Forward, ...inputs: readonly Tensor[]): Tensor {
  if (!isRecording()) return scoped(() => forward(...inputs));
  if (!canCallBack()) return tape?.record(forward, inputs) ?? scoped(() => forward(...inputs));
  const precisions = currentPrecisions();
  const replay = (seeds: (number | null)[]): (number | null)[] => {
    using _ = tensorScope();
    const seed = seeds[0];
    if (seed === null || seed === undefined) return inputs.map(() => null);
    const gradient = new Tensor(seed);
    const leaves = inputs.map((input) => input.detach().setRequiresGrad(isDifferentiable(input)));
    const output = withPrecisions(precisions, () => enableGrad(() => forward(...leaves)));
    output.backward(gradient);
    return leaves.map((leaf) => {
      const found = leaf.grad;
      return found && keep(found).handle;
    });
  };
  using _ = tensorScope();
  const output = noGrad(() => forward(...inputs));
  const handles = inputs.map((input) => input.handle);
  return keep(new Tensor(door().customNode(output.handle, handles, replay)));
}

/**
 * The backward pass of what `work` returns, from `seed` (default one, for a scalar), checkpoints included.
 *
 * Where the pass itself cannot call them, as on a GPU, they are computed again behind it, the last one first.
 */
export function differentiate(work: () => Float, seed?: Tensor): void {
  if (canCallBack()) return work().backward(seed);
  const outer = tape;
  using own = new Tape();
  tape = own;
  try {
    const output = work();
    tape = undefined;
    // A piece may turn out to depend on nothing that learns
    if (seed && !output.requiresGrad) return;
    output.backward(seed, { retainGraph: own.isEntered });
    own.replay();
  } finally {
    tape = outer;
  }
}

let tape: Tape | undefined;

/** A piece of the forward pass, and what became of it. */
interface Segment {
  /** A leaf in the place of what was computed; its gradient is what the piece's own backward pass starts from. */
  readonly leaf: Tensor;
  /** Sends that gradient on. */
  readonly backward: (gradient: Tensor) => void;
}

/** The pieces of one forward pass that are to be computed again, in their order. */
class Tape implements Disposable {
  #segments: Segment[] = [];
  /** Leaves in the place of inputs that the graph outside the pieces has made. */
  readonly #entries = new Map<Tensor, Tensor>();
  readonly #leaves = new Set<Tensor>();
  /** Scopes end before the backward pass does. */
  readonly #held = new HeldTensors();

  /** Whether a piece begins with what the graph outside has made: it is gone through once more then. */
  get isEntered(): boolean {
    return this.#entries.size > 0;
  }

  record(forward: Forward, given: readonly Tensor[]): Tensor {
    const precisions = currentPrecisions();
    const inputs = given.map((input) => this.#entered(input));
    const leaf = this.#held.take(
      scoped(() => noGrad(() => forward(...given)).detach()).setRequiresGrad(true),
    );
    this.#leaves.add(leaf);
    const backward = (gradient: Tensor): void => {
      const leaves = inputs.map((input) => input.detach().setRequiresGrad(input.requiresGrad));
      const again = (): Tensor =>
        withPrecisions(precisions, () => enableGrad(() => forward(...leaves)));
      differentiate(again, gradient);
      inputs.forEach((input, i) => {
        const found = leaves[i]!.grad;
        if (found) input.backward(found);
      });
    };
    this.#segments.push({ leaf, backward });
    return leaf;
  }

  replay(): void {
    for (let segment = this.#segments.pop(); segment; segment = this.#segments.pop()) {
      using _ = tensorScope();
      const gradient = segment.leaf.grad;
      if (gradient) segment.backward(gradient);
    }
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
  }

  /** What a piece takes in the place of `input`: itself where it is a leaf of ours. */
  #entered(input: Tensor): Tensor {
    if (this.#leaves.has(input)) return input;
    const known = this.#entries.get(input);
    if (known) return known;
    const entry = this.#held.take(input.detach());
    if (!input.requiresGrad) return entry;
    const source = this.#held.take(dispatch("aten::alias", input));
    this.#entries.set(input, entry.setRequiresGrad(true));
    // entries may have been made from one another
    const backward = (gradient: Tensor): void => source.backward(gradient, { retainGraph: true });
    this.#segments.push({ leaf: entry, backward });
    return entry;
  }
}

function isDifferentiable(input: Tensor): boolean {
  return input.dtype.startsWith("float") || input.dtype === "bfloat16";
}
