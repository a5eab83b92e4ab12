import { noGrad } from "./autodiff.ts";
import { persist, tensorScope } from "./scope.ts";
import { Tensor } from "./tensor.ts";

/**
 * Tensors that live across awaits, which a tensor scope never does, and are freed when it is disposed.
 *
 * A window's latents and conditions live in one; its intermediates die at once.
 */
export class HeldTensors implements Disposable {
  #held: Tensor[] = [];

  /** Runs `work` without a graph and holds every tensor it made that its result contains. */
  make<T>(work: () => T): T {
    using scope = tensorScope();
    const made = noGrad(work);
    for (const tensor of tensorsIn(made)) {
      // What belongs to no scope, such as a weight, is somebody else's to free.
      if (tensor.owner === scope) this.#held.push(persist(tensor));
    }
    return made;
  }

  /** Holds a tensor that would die with its scope, or belongs to none. */
  take(tensor: Tensor): Tensor {
    this.#held.push(persist(tensor));
    return tensor;
  }

  [Symbol.dispose](): void {
    using scope = tensorScope();
    for (const tensor of this.#held) scope.adopt(tensor);
    this.#held = [];
  }
}

/** Every tensor that is reached through the fields and elements of `value`. */
function tensorsIn(value: unknown, seen = new Set<unknown>()): Tensor[] {
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof Tensor) return [value];
  return Object.values(value).flatMap((part) => tensorsIn(part, seen));
}
