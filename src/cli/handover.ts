/**
 * Passes values from one who makes them to one who takes them, a few at a time.
 *
 * `put` resolves when fewer than `ahead` values wait for the taker, so both work at once and nothing piles up.
 */
export class Handover<T> implements AsyncIterable<T> {
  readonly #ahead: number;
  readonly #waiting: T[] = [];
  #wakeTaker: (() => void) | undefined;
  #wakeMaker: (() => void) | undefined;
  #end: { readonly error?: unknown } | undefined;

  constructor({ ahead = 1 }: { readonly ahead?: number } = {}) {
    this.#ahead = ahead;
  }

  /** Offers a value; call again only when there is room for another. */
  put(value: T): Promise<void> {
    this.#waiting.push(value);
    this.#wakeTaker?.();
    if (this.#waiting.length < this.#ahead) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeMaker = resolve;
    return promise;
  }

  /** No value comes any more. */
  end(): void {
    this.#end ??= {};
    this.#wakeTaker?.();
  }

  /** The taker's loop throws `error` when it next asks; what waits is dropped. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wakeTaker?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#end && "error" in this.#end) throw this.#end.error;
      if (this.#waiting.length > 0) {
        yield this.#waiting.shift()!;
        if (this.#waiting.length < this.#ahead) this.#wakeMaker?.();
      } else if (this.#end) {
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakeTaker = resolve;
        await promise;
      }
    }
  }
}
