import { sampleEdit } from "./edits.ts";
import { instruction } from "./instructions.ts";
import { caption } from "./language.ts";
import { describeOutcome } from "./outcome.ts";
import { WorldRng } from "./rng.ts";
import { sampleScene } from "./sample.ts";
import type { Split } from "./splits.ts";
import { TASKS } from "./tasks.ts";

/** Two wordings of one scene and two of one edit, to train a text encoder on. */
export interface Sentences {
  readonly caption: string;
  readonly paraphrase: string;
  readonly instruction: string;
  readonly instructionParaphrase: string;
}

/** The sentences of one index of a split: a pure function of the two. */
export function sampleSentences(split: Split, index: number): Sentences {
  const rng = new WorldRng("sentences", split, index);
  const { scene: before, edit } = sampleEdit(split, index, rng.pick(TASKS));
  const scene = rng.chance(0.25) ? describeOutcome(before, edit) : sampleScene(split, index);
  return {
    caption: caption(scene, rng, split),
    paraphrase: caption(scene, rng, split),
    instruction: instruction(before, edit, rng, split),
    instructionParaphrase: instruction(before, edit, rng, split),
  };
}
