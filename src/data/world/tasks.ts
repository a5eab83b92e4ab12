/**
 * The seven editing tasks of TGVE+ (paper, §4.1), in the order of the task embedding.
 *
 * Deviation: the paper distils by seven tasks of Emu Edit (§4): local and global edits in the place of `object` and `multiple`.
 */
export const TASKS = [
  "style",
  "background",
  "object",
  "multiple",
  "add",
  "remove",
  "texture",
] as const;
/** The name of an editing task. */
export type Task = (typeof TASKS)[number];
