import { restyled, STYLED_TASKS } from "../world/held-out-styles.ts";
import type { WorldEdit } from "../world/edits.ts";
import type { Look } from "../world/looks.ts";
import type { Split } from "../world/splits.ts";
import type { Task } from "../world/tasks.ts";
import { styledRequestAt } from "./styled-items.ts";
import { SUBJECT_TASKS, subjectRequestAt } from "./subject-items.ts";

/** The tasks of edits that a look is aligned with and judged by, in the order in which requests take turns. */
export function tasksOf({ type }: Look): readonly Task[] {
  return type === "style" ? STYLED_TASKS : SUBJECT_TASKS;
}

/** Request `index` for editing with a look: in a style that is left on, or one that brings a subject in. */
export function lookRequestAt(look: Look, split: Split, index: number): WorldEdit {
  return look.type === "style"
    ? styledRequestAt(split, index)
    : subjectRequestAt(split, index, look.name);
}

/** A drawn frame as it looks with a look: in the style; a subject is in the scene already. Writes over it. */
export function finished(look: Look, rgb: Uint8Array, size: number): Uint8Array {
  return look.type === "style" ? restyled(rgb, size, look.name) : rgb;
}
