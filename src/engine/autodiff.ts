import { defaultDevice } from "./device.ts";
import { door } from "./native.ts";
import { tensorScope } from "./scope.ts";
import { forgetCastWeights } from "./settings.ts";
import { Tensor, type Float } from "./tensor.ts";

function withGradMode<T>(enabled: boolean, work: () => T): T {
  const before = door().setGradMode(enabled);
  if (enabled && !before) forgetCastWeights();
  try {
    return work();
  } finally {
    door().setGradMode(before);
    if (before && !enabled) forgetCastWeights();
  }
}

/** Whether operators record a graph now. */
export function isRecording(): boolean {
  const before = door().setGradMode(false);
  door().setGradMode(before);
  return before;
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
  const found = door().gradientsOf(
    [output.handle],
    inputs.map((input) => input.handle),
    seed ? [seed.handle] : [],
    createGraph,
  );
  return found.map((handle) => (handle === null ? null : new Tensor(handle)));
}

/** A GPU's backward pass runs in threads of libtorch's own, where no JavaScript can be called. */
export function canCallBack(): boolean {
  return !defaultDevice().startsWith("cuda");
}

/**
 * The same values; a backward pass that comes through them tells `listener` their gradient, and goes on with it.
 *
 * Where nothing is recorded, and on a GPU, it is `x` itself, and nobody is told.
 */
export function watchGradient(x: Float, listener: (gradient: Float) => void): Float {
  if (!isRecording() || !canCallBack()) return x;
  const pass = ([seed]: (number | null)[]): (number | null)[] => {
    if (seed === null || seed === undefined) return [null];
    const gradient = new Tensor(seed);
    using _ = tensorScope();
    listener(gradient);
    return [gradient.handle];
  };
  return new Tensor(door().customNode(x.handle, [x.handle], pass));
}
