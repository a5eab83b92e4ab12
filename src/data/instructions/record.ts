import { z } from "zod";
import { dataFiles, type ClipRecord } from "../clips/dataset.ts";
import { readGrownJsonLines } from "../clips/json-lines.ts";
import { TASKS, type Task } from "../world/tasks.ts";

/** One edit as its writer proposes it. */
export interface Draft {
  readonly task: Task;
  readonly instruction: string;
  /** What the edited clip would show. */
  readonly outputCaption: string;
}

/** What a writer proposes: its kind may be one that does not exist. */
export interface Proposal extends Omit<Draft, "task"> {
  readonly task: string;
}

/** Whether a proposal is of one of the seven kinds. */
export function isDraft(proposal: Proposal): proposal is Draft {
  return TASKS.some((task) => task === proposal.task);
}

/** One line of `instructions.jsonl`: an edit that could be asked of a clip. No edited picture belongs to it. */
export const InstructionRecord = z.strictObject({
  /** The clip's number in the data set. */
  clip: z.int().nonnegative(),
  task: z.enum(TASKS),
  instruction: z.string().min(1),
  /** The clip's caption when this was written; another one makes the line stale. */
  inputCaption: z.string(),
  outputCaption: z.string().min(1),
  /** Who wrote it: `templates`, or `llm:` and the model's name. */
  by: z.string(),
});
export type InstructionRecord = z.infer<typeof InstructionRecord>;

/** One line of `rejected.jsonl`: what is missing after all attempts, or of no kind that exists, and why. */
export const RejectedDraft = z.strictObject({
  clip: z.int().nonnegative(),
  task: z.string(),
  reason: z.string(),
  /** The last attempt; null where nothing came. */
  instruction: z.string().nullable(),
});
export type RejectedDraft = z.infer<typeof RejectedDraft>;

/** The instructions of a data set that fit its clips as they are, by clip and task. */
export function readInstructions(
  folder: string,
  clips: readonly ClipRecord[],
): InstructionRecord[] {
  const records = readGrownJsonLines(dataFiles(folder).instructions, InstructionRecord);
  const found = new Map(
    records
      .filter(({ clip, inputCaption }) => clips[clip]?.caption === inputCaption)
      .map((record) => [`${record.clip} ${record.task}`, record]),
  );
  return [...found.values()].toSorted(byClipAndTask);
}

/** The order of the finished file: clips as they are numbered, tasks as the model numbers them. */
export function byClipAndTask(
  a: Pick<RejectedDraft, "clip" | "task">,
  b: Pick<RejectedDraft, "clip" | "task">,
): number {
  const place = (name: string): number => TASKS.findIndex((task) => task === name);
  return a.clip - b.clip || place(a.task) - place(b.task);
}
