import { expect, test } from "vitest";
import { inParallel } from "./in-parallel.ts";

test("all items are worked on, never more at a time than allowed, and come as they are done", async () => {
  let running = 0;
  let most = 0;
  const gates = [3, 1, 2, 0].map(() => Promise.withResolvers<void>());
  const order: number[] = [];
  const results = inParallel([0, 1, 2, 3], 2, async (item) => {
    most = Math.max(most, ++running);
    await gates[item]!.promise;
    running--;
    return item;
  });
  const collected = (async () => {
    for await (const item of results) {
      order.push(item);
      gates[item === 1 ? 2 : item === 2 ? 0 : 3]!.resolve();
    }
  })();
  gates[1]!.resolve();
  await collected;
  expect(order).toEqual([1, 2, 0, 3]);
  expect(most).toBe(2);
});

test("an error tells the others to stop, waits for them, and comes out", async () => {
  const ended: string[] = [];
  const work = async (item: string, signal: AbortSignal): Promise<string> => {
    if (item === "bad") throw new Error("no");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended.push(item);
    return item;
  };
  const all = inParallel(["slow", "bad", "later"], 2, work);
  await expect(all.next()).rejects.toThrow("no");
  expect(ended).toEqual(["slow"]);
});

test("nothing to do is done at once", async () => {
  const none = inParallel([], 3, async () => 1);
  expect(await none.next()).toMatchObject({ done: true });
});
