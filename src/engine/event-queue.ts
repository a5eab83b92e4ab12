/** Events of one job or several that wait for their one reader: written without waiting, read in order. */
export class EventQueue<Event> implements AsyncIterable<Event> {
  #waiting: Event[] = [];
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  /** Adds an event behind those that wait. */
  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake.resolve();
  }

  /** No event comes any more; those that wait are still read. */
  close(): void {
    this.#isClosed = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    for (;;) {
      const events = this.#waiting;
      this.#waiting = [];
      yield* events;
      if (this.#waiting.length > 0) continue;
      if (this.#isClosed) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}
