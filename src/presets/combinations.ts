import type { z } from "zod";
import type { StageEntry } from "../training/stage.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { withSettings } from "./changed-settings.ts";

/**
 * Where the alignment of the edit adapter with a look (§4.4) departs from that with the video adapter: more inputs at
 * once, for they are single pictures, and those of the world, for a small backbone draws nothing that an edit could keep;
 * a say for the look's teacher, who costs less of what is to be kept than a small video teacher; score distillation alone.
 * Deviation: measured (docs/alignment.md).
 */
const COMBINATION = {
  items: 512,
  combineInputs: "pictures",
  terms: ["sdsEdit", "sdsVideo"],
  alpha: 0.6,
  beta: 0.4,
  scoreDistillation: { times: [0.1, 0.6] },
} satisfies z.input<typeof DistillationSettings>;
const PICTURES = 16;
const STEPS = 60;

/** The distillation that aligns the edit adapter with `look`, `style:<name>` or `subject:<name>`. */
export function withLook(entry: StageEntry, look: string): StageEntry {
  const { config } = entry;
  const budget = { ...entry, config: { ...config, steps: STEPS, batch: PICTURES } };
  return withSettings(budget, { ...COMBINATION, combine: look });
}
