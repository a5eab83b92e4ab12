import { expect, test } from "vitest";
import { ahead } from "./ahead.ts";

const never = new AbortController().signal;

/** Counts up, telling of each number as it is made. */
async function* counting(
  until: number,
  made: number[],
  { fails = false, signal = never }: { fails?: boolean; signal?: AbortSignal } = {},
): AsyncGenerator<number, void, undefined> {
  for (let number = 0; number < until; number++) {
    await Promise.resolve();
    signal.throwIfAborted();
    made.push(number);
    yield number;
  }
  if (fails) throw new Error("the source broke");
}

async function all(items: AsyncIterable<number>, taken: number[] = []): Promise<number[]> {
  for await (const item of items) taken.push(item);
  return taken;
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

test("hands out all in order", async () => {
  expect(await all(ahead(() => counting(7, []), 3, never))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(await all(ahead(() => counting(0, []), 3, never))).toEqual([]);
});

test("makes as many ahead as it is told, and no more", async () => {
  const made: number[] = [];
  const items = ahead(() => counting(9, made), 3, never);
  await items.next();
  await turns(4);
  expect(made).toEqual([0, 1, 2, 3]);
  await items.return();
});

test("gives the source's error after what came before it", async () => {
  const taken: number[] = [];
  const items = ahead(() => counting(4, [], { fails: true }), 2, never);
  await expect(all(items, taken)).rejects.toThrow("the source broke");
  expect(taken).toEqual([0, 1, 2, 3]);
});

test("stops the source where no more is wanted, and waits until it has ended", async () => {
  const made: number[] = [];
  let hasEnded = false;
  async function* watched(signal: AbortSignal) {
    try {
      yield* counting(9, made, { signal });
    } finally {
      await turns(2);
      hasEnded = true;
    }
  }
  for await (const item of ahead(watched, 2, never)) if (item === 1) break;
  expect(hasEnded).toBe(true);
  expect(made.length).toBeLessThanOrEqual(5);
});

test("passes an abort on", async () => {
  const abort = new AbortController();
  const items = ahead((signal) => counting(9, [], { signal }), 1, abort.signal);
  await items.next();
  abort.abort(new Error("stopped by hand"));
  await expect(all(items)).rejects.toThrow("stopped by hand");
});
