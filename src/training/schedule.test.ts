import { expect, test } from "vitest";
import { learningRateAt } from "./schedule.ts";

const base = { learningRate: 2, warmup: 4, steps: 104, finalRate: 0 };

test("warms up linearly and reaches the peak on the last step of it", () => {
  const rates = [0, 1, 2, 3, 4].map((step) =>
    learningRateAt({ ...base, schedule: "constant" }, step),
  );
  expect(rates).toEqual([0.5, 1, 1.5, 2, 2]);
});

test("stays constant, or falls along half a cosine to the final rate", () => {
  expect(learningRateAt({ ...base, schedule: "constant" }, 5000)).toBe(2);
  const cosine = { ...base, schedule: "cosine", finalRate: 0.1 } as const;
  expect(learningRateAt(cosine, 4)).toBe(2);
  expect(learningRateAt(cosine, 54)).toBeCloseTo(1.1, 12);
  expect(learningRateAt(cosine, 104)).toBeCloseTo(0.2, 12);
  expect(learningRateAt(cosine, 9000)).toBeCloseTo(0.2, 12);
});
