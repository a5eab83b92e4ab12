/**
 * Runs `work` on all items, at most `limit` at a time, and yields the results as they come.
 *
 * Whatever ends it (an error, a consumer that has enough), work that has begun is told by its signal, and waited for.
 */
export async function* inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const stop = new AbortController();
  const running = new Map<number, Promise<{ number: number; result: Result }>>();
  let begun = 0;
  try {
    for (;;) {
      for (; running.size < limit && begun < items.length; begun++) {
        const number = begun;
        const started = work(items[number]!, stop.signal);
        running.set(
          number,
          started.then((result) => ({ number, result })),
        );
      }
      if (running.size === 0) return;
      const { number, result } = await Promise.race(running.values());
      running.delete(number);
      yield result;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(running.values());
  }
}
