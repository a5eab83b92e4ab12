import type { TrainConfig } from "./config.ts";

/** What to tell whoever trains for so few steps that the rate never reaches its peak; undefined where it does. */
export function warmupWarning({
  warmup,
  steps,
}: Pick<TrainConfig, "warmup" | "steps">): string | undefined {
  if (warmup < steps) return undefined;
  return `the learning rate rises to the end: warmup is ${warmup} steps, the run ${steps}; a shorter one is --set warmup=${Math.floor(steps / 10)}`;
}
