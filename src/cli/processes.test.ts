import { expect, test } from "vitest";
import { processCount } from "./processes.ts";

// What processes do is tested with those who start them: clips that are evaluated, lines of a batch.

test("there are no more processes than things to do, and at least one", () => {
  expect(processCount(3, 8)).toBe(3);
  expect(processCount(3, 2)).toBe(2);
  expect(processCount(1)).toBe(1);
  expect(processCount(1000)).toBeGreaterThanOrEqual(1);
});

test("there is one where memory has no room for two", () => {
  expect(processCount(1000, undefined, Number.MAX_SAFE_INTEGER)).toBe(1);
});
