import { timesteps, spacingOf } from "../../diffusion/timesteps.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { kBinTimes } from "../../eve/distillation/k-bin.ts";
import type { DistillationSettings } from "./distillation-settings.ts";

/**
 * Throws a ConfigError for times that `schedule` does not have: before teachers draw for hours what a run then cannot
 * learn from.
 */
export function requireTimes(
  { kBin, samples }: Pick<DistillationSettings, "kBin" | "samples">,
  schedule: Schedule,
): void {
  const { steps, times } = samples;
  inSetting("stage.kBin", () => kBinTimes(schedule, { ...kBin, times: "fixed" }, Rng.seed(0)));
  inSetting("stage.samples", () => timesteps(schedule, steps, spacingOf(steps, times)));
}

/** Runs `work`; a ConfigError says in which setting the fault is. */
function inSetting(name: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${name}: ${error.message}`, { cause: error });
  }
}
