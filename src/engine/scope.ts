import { door } from "./native.ts";
import { invariant } from "./errors.ts";

/** What a scope owns: anything with a native handle. */
export interface Owned {
  readonly handle: number;
  owner: TensorScope | undefined;
}

const abandoned = new FinalizationRegistry<number>((handle) => {
  door().release([handle]);
});

let current: TensorScope | undefined;

/**
 * The lifetime of the tensors made while it is the innermost one.
 *
 * V8 does not see native memory, so intermediates are freed here, at step boundaries, and not by the
 * garbage collector. Scopes nest, are synchronous and never span an `await`.
 */
export class TensorScope {
  readonly #parent: TensorScope | undefined;
  #owned: Owned[] = [];

  constructor(parent: TensorScope | undefined) {
    this.#parent = parent;
  }

  /** Takes `tensor` into this scope. */
  adopt(tensor: Owned): void {
    tensor.owner = this;
    this.#owned.push(tensor);
  }

  /** Hands `tensor` to the enclosing scope, or to the garbage collector where there is none. */
  passOutward(tensor: Owned): void {
    if (this.#parent) this.#parent.adopt(tensor);
    else leaveToCollector(tensor);
  }

  [Symbol.dispose](): void {
    invariant(
      current === this,
      "tensor scopes must close in the reverse order of opening, within one tick",
    );
    current = this.#parent;
    this.release();
  }

  /** Frees what belongs to this scope; where that is nothing it does not ask for the door, which may be what failed. */
  release(): void {
    const ended = this.#owned.filter((tensor) => tensor.owner === this);
    this.#owned = [];
    if (ended.length > 0) door().release(ended.map((tensor) => tensor.handle));
  }
}

function leaveToCollector(tensor: Owned): void {
  tensor.owner = undefined;
  abandoned.register(tensor, tensor.handle);
}

/** Opens a scope: `using scope = tensorScope()` frees every tensor made until the block ends. */
export function tensorScope(): TensorScope {
  current = new TensorScope(current);
  return current;
}

/** A value with the tensors that were made for it; disposing of it frees them. */
export interface Held<T> extends Disposable {
  readonly value: T;
}

/**
 * Runs `work` in a scope that outlasts the enclosing ones: for a value that is made before its time.
 *
 * Nothing is made in that scope later, so it may be disposed of in any order, and behind an `await`.
 */
export function held<T>(work: () => T): Held<T> {
  const enclosing = current;
  const scope = new TensorScope(undefined);
  current = scope;
  try {
    const value = work();
    return { value, [Symbol.dispose]: () => scope.release() };
  } catch (error) {
    scope.release();
    throw error;
  } finally {
    current = enclosing;
  }
}

/** Registers a fresh tensor with the innermost scope. */
export function own(tensor: Owned): void {
  if (current) current.adopt(tensor);
  else leaveToCollector(tensor);
}

/**
 * Lets `tensor` outlive the innermost scope: it then belongs to the enclosing one.
 *
 * A tensor that the innermost scope does not own outlives it anyway and stays where it is.
 */
export function keep<T extends Owned>(tensor: T): T {
  if (current && tensor.owner === current) current.passOutward(tensor);
  return tensor;
}

/** Lets `tensor` outlive every scope: weights, optimizer state, caches. The garbage collector frees it. */
export function persist<T extends Owned>(tensor: T): T {
  if (tensor.owner) leaveToCollector(tensor);
  return tensor;
}

/** Runs `work` in a scope of its own and hands out what it returns. */
export function scoped<T extends Owned>(work: () => T): T {
  using _ = tensorScope();
  return keep(work());
}

/**
 * Applies `steps` one after another, beginning with `x`. What a step returns is freed once the next one has read it, and all
 * else that a step makes when it ends.
 */
export function inTurn<T extends Owned>(x: T, steps: readonly ((value: T) => T)[]): T {
  const run = steps.reduce<() => T>(
    (before, step) => () => scoped(() => step(before())),
    () => x,
  );
  return run();
}
