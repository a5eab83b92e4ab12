import { sampleEdit, type WorldEdit } from "../world/edits.ts";
import type { Split } from "../world/splits.ts";
import { TASKS } from "../world/tasks.ts";
import { renderTriplet } from "../world/triplet.ts";
import type { DrawItem } from "./drawn-item.ts";
import { frameOf } from "./frame-number.ts";

/** One frame before and after an edit; their words are an `EditText`. */
export interface TripletKind {
  readonly split: Exclude<Split, "test">;
}

/** Which edit item `index` is: the tasks take turns. */
export function editAt(split: Split, index: number): WorldEdit {
  return sampleEdit(split, Math.floor(index / TASKS.length), TASKS[index % TASKS.length]!);
}

/** One frame before and after an edit, with the words of both. */
export const draw: DrawItem<TripletKind> = ({ split }, index, size) => {
  const request = editAt(split, index);
  const { before, after } = renderTriplet(request, split, frameOf(index), size);
  const { task, instruction, inputCaption, outputCaption } = request;
  return { frames: [before, after], text: { task, instruction, inputCaption, outputCaption } };
};
