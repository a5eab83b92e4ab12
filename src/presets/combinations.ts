import type { z } from "zod";
import { parseLook } from "../data/world/looks.ts";
import type { StageEntry } from "../training/stage.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { withSettings } from "./changed-settings.ts";

/**
 * Where the alignment of the edit adapter with a look (§4.4) departs from that with the video adapter: more inputs at
 * once, for they are single pictures, and those of the world, for a small backbone draws nothing that an edit could keep;
 * score distillation alone; and next to nothing for the LoRA, whose steps cost more than they gain: what is learned is how
 * strongly to hear the edit adapter. Deviation: measured (docs/decisions/2026-11-29-edit-strength.md).
 *
 * Neither teacher knows what the other draws. At little noise both ask for less of the edit adapter, whatever their weights;
 * at much, where what is new is still open, an edit teacher that is guided asks for more: by the words where they name a
 * subject. Over all times they meet near where truth would have them (docs/decisions/2026-11-29-scores-at-all-times.md).
 */
const COMBINATION = {
  items: 512,
  combineInputs: "pictures",
  terms: ["sdsEdit", "sdsVideo"],
  alpha: 0.8,
  beta: 0.2,
  strengthRate: 60_000,
} satisfies z.input<typeof DistillationSettings>;
const PICTURES = 16;
const STEPS = 60;
const LEARNING_RATE = 1e-6;
const TIMES: [number, number] = [0.1, 0.9];
const TEXT_GUIDANCE = { style: 1, subject: 2 };
const IMAGE_GUIDANCE = 1.5;

/** The distillation that aligns the edit adapter with `look`, `style:<name>` or `subject:<name>`. */
export function withLook(entry: StageEntry, look: string): StageEntry {
  const { config } = entry;
  const budget = { steps: STEPS, batch: PICTURES, learningRate: LEARNING_RATE };
  const own = { ...entry, config: { ...config, ...budget } };
  const text = TEXT_GUIDANCE[parseLook(look)?.type ?? "style"];
  const scoreDistillation = {
    times: TIMES,
    guideEdit: { text, image: IMAGE_GUIDANCE },
  } satisfies z.input<typeof DistillationSettings>["scoreDistillation"];
  return withSettings(own, { ...COMBINATION, scoreDistillation, combine: look });
}
