import type { z } from "zod";
import type { StageEntry } from "../training/stage.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { withSettings } from "./changed-settings.ts";

/**
 * Where the alignment of the edit adapter with a look (§4.4) departs from that with the video adapter: more inputs at
 * once, for they are single pictures, and those of the world, for a small backbone draws nothing that an edit could keep;
 * a say for the look's teacher, who costs less of what is to be kept than a small video teacher; score distillation alone;
 * and next to nothing for the LoRA, whose steps cost more than they gain: what is learned is how strongly to hear the edit
 * adapter. Deviation: measured (docs/decisions/2026-11-29-edit-strength.md).
 */
const COMBINATION = {
  items: 512,
  combineInputs: "pictures",
  terms: ["sdsEdit", "sdsVideo"],
  alpha: 0.66,
  beta: 0.34,
  strengthRate: 60_000,
  scoreDistillation: { times: [0.1, 0.6] },
} satisfies z.input<typeof DistillationSettings>;
const PICTURES = 16;
const STEPS = 60;
const LEARNING_RATE = 1e-6;

/** The distillation that aligns the edit adapter with `look`, `style:<name>` or `subject:<name>`. */
export function withLook(entry: StageEntry, look: string): StageEntry {
  const { config } = entry;
  const budget = { steps: STEPS, batch: PICTURES, learningRate: LEARNING_RATE };
  const own = { ...entry, config: { ...config, ...budget } };
  return withSettings(own, { ...COMBINATION, combine: look });
}
