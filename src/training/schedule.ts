import type { TrainConfig } from "./config.ts";

type Schedule = Pick<TrainConfig, "learningRate" | "warmup" | "schedule" | "steps" | "finalRate">;

/**
 * The learning rate of a step (counted from 0): linear warm-up, then constant or half a cosine.
 *
 * A pure function of the step, so that a resumed run needs no scheduler state.
 */
export function learningRateAt(config: Schedule, step: number): number {
  const { learningRate, warmup, schedule, steps, finalRate } = config;
  if (step < warmup) return (learningRate * (step + 1)) / warmup;
  switch (schedule) {
    case "constant":
      return learningRate;
    case "cosine": {
      const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
      return (
        learningRate * (finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * progress)))
      );
    }
  }
}
