import { createHash } from "node:crypto";
import { DataError } from "../engine/errors.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Parameters } from "../nn/module.ts";

/** Proves that weights which must not change did not. */
export class FrozenGuard {
  /** SHA-256 over all frozen weights with their names. */
  readonly hash: string;
  readonly #weights: Parameters;
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #norms: ReadonlyMap<string, number>;

  constructor(weights: Parameters) {
    this.#weights = weights;
    this.#hashes = mapped(weights, hashOf);
    this.#norms = mapped(weights, normOf);
    this.hash = createHash("sha256")
      .update(JSON.stringify([...this.#hashes]))
      .digest("hex");
  }

  /** Compares the norm of every weight: cheap, and enough to notice an optimizer at work on them. */
  glance(): void {
    this.#compare(this.#norms, normOf);
  }

  /** Compares every bit. */
  verify(): void {
    this.#compare(this.#hashes, hashOf);
  }

  #compare<T>(before: ReadonlyMap<string, T>, measure: (weight: Tensor) => T): void {
    const now = mapped(this.#weights, measure);
    const changed = [...now.keys()].filter((name) => !Object.is(now.get(name), before.get(name)));
    if (changed.length === 0) return;
    const others = changed.length > 1 ? ` and ${changed.length - 1} others` : "";
    throw new DataError(
      `expected frozen weights to stay as they were, but training changed ${changed[0]}${others}`,
    );
  }
}

function mapped<T>(weights: Parameters, measure: (weight: Tensor) => T): ReadonlyMap<string, T> {
  return new Map([...weights].map(([name, weight]) => [name, measure(weight)]));
}

function hashOf(weight: Tensor): string {
  const bytes = new Uint8Array(weight.toBytes());
  return createHash("sha256").update(bytes).digest("hex");
}

function normOf(weight: Tensor): number {
  using _ = tensorScope();
  return weight.detach().to("float32").norm().item();
}
