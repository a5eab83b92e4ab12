/**
 * What `make` gives, in order, asked for up to `count` items before they are needed: the source works while whoever takes
 * its items does.
 *
 * The source gets a signal of its own, which is aborted by `signal` and where no more items are wanted; it is waited for
 * before this ends. An error of the source comes after the items before it.
 */
export async function* ahead<T>(
  make: (signal: AbortSignal) => AsyncIterable<T>,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const source = make(AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator]();
  const asked: Promise<IteratorResult<T, unknown>>[] = [];
  const ask = (): void => {
    const item = source.next();
    item.catch(() => undefined); // whoever awaits it is told; nobody may
    asked.push(item);
  };
  try {
    for (let index = 0; index < count; index++) ask();
    for (;;) {
      ask();
      const item = await asked.shift()!;
      if (item.done === true) return;
      yield item.value;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(asked);
    await source.return?.();
  }
}
