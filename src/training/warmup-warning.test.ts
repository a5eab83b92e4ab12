import { expect, test } from "vitest";
import { warmupWarning } from "./warmup-warning.ts";

test("a warm-up as long as the run is warned of, with a shorter one", () => {
  expect(warmupWarning({ warmup: 100, steps: 100 })).toBe(
    "the learning rate rises to the end: warmup is 100 steps, the run 100; a shorter one is --set warmup=10",
  );
  expect(warmupWarning({ warmup: 99, steps: 100 })).toBeUndefined();
  expect(warmupWarning({ warmup: 0, steps: 1 })).toBeUndefined();
});
