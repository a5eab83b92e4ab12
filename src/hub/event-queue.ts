/** Lets several jobs at once speak to one reader, in the order in which they speak. */
export class EventQueue<T> {
  readonly #waiting: T[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  push(event: T): void {
    this.#waiting.push(event);
    this.#wake();
  }

  /** Nothing more will come. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** What was said and will be said, until the queue is closed. */
  async *read(): AsyncGenerator<T, void, void> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!;
      if (this.#isClosed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
