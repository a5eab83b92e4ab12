import { ConfigError } from "../../engine/errors.ts";
import { sampleEdit, type WorldEdit } from "../world/edits.ts";
import type { Split } from "../world/splits.ts";
import { TASKS } from "../world/tasks.ts";
import { consecutiveFrames, type DrawItem } from "./drawn-item.ts";

/** Unedited clips; their words are an `UneditedText`. */
export interface UneditedKind {
  readonly split: Exclude<Split, "test">;
  /** Frames of each. */
  readonly frames: number;
}

/** Scenes before this number are the adapters': theirs have edited pictures in training, these never had. */
const FIRST_SCENE = 1 << 20;
/** The splits whose clips may be learned from or watched while learning. */
const LEARNABLE: readonly Split[] = ["train", "validation"];

/** Input `index` of distillation: a scene, and the words of an edit of it; the tasks take turns. */
export function uneditedAt(split: Exclude<Split, "test">, index: number): WorldEdit {
  if (!LEARNABLE.includes(split)) {
    throw new ConfigError(
      `expected the ${LEARNABLE.join(" or the ")} split, got "${split}": its clips belong to the evaluation`,
    );
  }
  const task = TASKS[index % TASKS.length]!;
  return sampleEdit(split, FIRST_SCENE + Math.floor(index / TASKS.length), task);
}

/** The consecutive frames of an unedited scene, with the edit that is asked of it. */
export const draw: DrawItem<UneditedKind> = ({ split, frames }, index, size) => {
  const { scene, task, instruction, outputCaption } = uneditedAt(split, index);
  const pictures = consecutiveFrames(scene, index, frames, size);
  return { frames: pictures, text: { task, instruction, outputCaption } };
};
