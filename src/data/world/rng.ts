import { hashText, mix } from "../../engine/hash.ts";

/**
 * Counter-based random numbers: the n-th draw is a hash of (key, n) and of nothing else.
 *
 * The key says what the draws are for, such as `("scene", split, index)`, so that no two purposes
 * and no two splits share a stream.
 */
export class WorldRng {
  readonly #low: number;
  readonly #high: number;
  #count = 0;

  constructor(...key: readonly (string | number)[]) {
    const text = key.join("\u0000");
    this.#low = hashText(text, 0x811c9dc5);
    this.#high = hashText(text, 0x9e3779b9);
  }

  /** The next number in [0, 1). */
  next(): number {
    const counter = Math.imul(++this.#count, 0x9e3779b1);
    return mix(mix(this.#low ^ counter) ^ this.#high) / 2 ** 32;
  }

  /** A number in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }

  /** One key of a table of weights, drawn in proportion to its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    let total = 0;
    for (const name in weights) total += weights[name];
    let left = this.next() * total;
    let drawn: K | undefined;
    for (const name in weights) {
      drawn = name;
      left -= weights[name];
      if (left < 0) break;
    }
    return drawn!;
  }

  /** The list in random order. */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }
}
