import { expect, test } from "vitest";
import { orAborted } from "./or-aborted.ts";

const forEver = new Promise<number>(() => undefined);

test("waits for a promise that is kept in time, and hands on its error", async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(3), signal)).toBe(3);
  expect(await orAborted(Promise.resolve(3), undefined)).toBe(3);
  await expect(orAborted(Promise.reject(new Error("its own")), signal)).rejects.toThrow("its own");
});

test("waits no longer than until the signal is aborted, or not at all behind that", async () => {
  const controller = new AbortController();
  const waiting = orAborted(forEver, controller.signal);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(orAborted(forEver, controller.signal)).rejects.toThrow("enough");
  await expect(orAborted(Promise.reject(new Error("late")), controller.signal)).rejects.toThrow(
    "enough",
  );
});
