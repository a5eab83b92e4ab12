import { describe, expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

describe("EventQueue", () => {
  test("hands out in order what came before and while it is read, and ends when it is closed", async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    queue.push(2);
    const read: number[] = [];
    for await (const event of queue) {
      read.push(event);
      if (event === 2) queueMicrotask(() => queue.push(3));
      if (event === 3) {
        queue.push(4);
        queue.close();
      }
    }
    expect(read).toEqual([1, 2, 3, 4]);
  });

  test("that was closed empty ends at once", async () => {
    const queue = new EventQueue<number>();
    queue.close();
    const read: number[] = [];
    for await (const event of queue) read.push(event);
    expect(read).toEqual([]);
  });
});
