/**
 * Passes values from one who makes them to one who takes them, one at a time.
 *
 * `put` resolves when the taker comes back for the next value, so nothing piles up.
 */
export class Handover<T> implements AsyncIterable<T> {
  #wake: (() => void) | undefined;
  #slot: { readonly value: T; readonly taken: () => void } | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** Offers a value; call again only when it was taken. */
  put(value: T): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#slot = { value, taken: resolve };
    this.#wake?.();
    return promise;
  }

  /** No value comes any more. */
  end(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  /** The taker's loop throws `error` when it next asks. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#end && "error" in this.#end) throw this.#end.error;
      if (this.#slot) {
        const { value, taken } = this.#slot;
        this.#slot = undefined;
        yield value;
        taken();
      } else if (this.#end) {
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }
}
