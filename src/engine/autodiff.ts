import { door } from "./native.ts";
import { Tensor, type Float } from "./tensor.ts";

function withGradMode<T>(enabled: boolean, work: () => T): T {
  const before = door.setGradMode(enabled);
  try {
    return work();
  } finally {
    door.setGradMode(before);
  }
}

/** Runs `work` without recording a graph. */
export function noGrad<T>(work: () => T): T {
  return withGradMode(false, work);
}

/** Runs `work` recording a graph, also inside `noGrad`. */
export function enableGrad<T>(work: () => T): T {
  return withGradMode(true, work);
}

/**
 * d(Σ output·seed)/d(input) for each input, null where the output does not depend on it.
 *
 * `seed` defaults to one for a scalar output. With `createGraph` the gradients can be differentiated again.
 */
export function gradients(
  output: Float,
  inputs: readonly Tensor[],
  { seed, createGraph = false }: { seed?: Tensor; createGraph?: boolean } = {},
): (Tensor | null)[] {
  const found = door.gradientsOf(
    [output.handle],
    inputs.map((input) => input.handle),
    seed ? [seed.handle] : [],
    createGraph,
  );
  return found.map((handle) => (handle === null ? null : new Tensor(handle)));
}

/**
 * Evaluates `forward(inputs)` without keeping its intermediates; the backward pass computes them again.
 *
 * Gradients reach `inputs` and, through `backward`, every leaf that `forward` uses. `forward` must be
 * pure: the same inputs give the same output, noise included.
 */
export function checkpoint(
  forward: (...inputs: Tensor[]) => Tensor,
  ...inputs: readonly Tensor[]
): Tensor {
  const output = noGrad(() => forward(...inputs));
  const replay = (seeds: (number | null)[]): (number | null)[] => {
    const seed = seeds[0];
    if (seed === null || seed === undefined) return inputs.map(() => null);
    const leaves = inputs.map((input) => {
      const isFloat = input.dtype.startsWith("float") || input.dtype === "bfloat16";
      return input.detach().setRequiresGrad(isFloat);
    });
    enableGrad(() => forward(...leaves)).backward(new Tensor(seed));
    return leaves.map((leaf) => leaf.grad?.handle ?? null);
  };
  return new Tensor(
    door.customNode(
      output.handle,
      inputs.map((input) => input.handle),
      replay,
    ),
  );
}
