import { DataError } from "../../engine/errors.ts";
import { dataFiles, type ClipRecord } from "../clips/dataset.ts";
import { appendJsonLine, writeJsonLines } from "../clips/json-lines.ts";
import { TASKS, type Task } from "../world/tasks.ts";
import { faultOf, tidied } from "./check.ts";
import { inParallel } from "./in-parallel.ts";
import {
  byClipAndTask,
  isDraft,
  readInstructions,
  type Draft,
  type InstructionRecord,
  type Proposal,
  type RejectedDraft,
} from "./record.ts";

/** A draft that was no use, and why. */
export interface FaultyDraft {
  /** One of the seven kinds, or one that does not exist. */
  readonly task: string;
  readonly reason: string;
  /** What was written; null where nothing was. */
  readonly instruction: string | null;
}

/** What a writer is asked for. */
export interface WritingOrder {
  readonly caption: string;
  /** Of the clip's pictures: what randomness depends on. */
  readonly sha256: string;
  readonly tasks: readonly Task[];
  /** How often this clip was asked for before. */
  readonly attempt: number;
  /** Drafts of the last attempt that were no use. */
  readonly faults: readonly FaultyDraft[];
}

/** Somebody who writes instructions. */
export interface Writer {
  /** How its lines are signed. */
  readonly name: string;
  /**
   * Drafts for some of the tasks, in any order, and what was written beside them.
   *
   * Throws a DataError where this clip gets none, a UserError where no clip would.
   */
  readonly write: (order: WritingOrder, signal: AbortSignal) => Promise<readonly Proposal[]>;
}

/** What happens while instructions are written. */
export type InstructEvent =
  | {
      readonly type: "instruct-started";
      readonly folder: string;
      readonly clips: number;
      /** Instructions that are there already. */
      readonly kept: number;
      /** Clips that still lack some. */
      readonly open: number;
      /** Names of clips that have no caption to start from. */
      readonly withoutCaption: readonly number[];
    }
  | {
      readonly type: "clip-instructed";
      readonly clip: number;
      readonly done: number;
      readonly open: number;
      readonly accepted: number;
      readonly rejected: readonly FaultyDraft[];
    }
  | {
      readonly type: "instructed";
      readonly folder: string;
      readonly instructions: number;
      readonly added: number;
      readonly rejected: number;
      /** How many of what was rejected or is missing have each reason. */
      readonly reasons: Readonly<Record<string, number>>;
      readonly perTask: Readonly<Record<Task, number>>;
    };

/** How instructions are written. */
export interface InstructOptions {
  readonly folder: string;
  readonly clips: readonly ClipRecord[];
  readonly writer: Writer;
  /** Clips that are written for at once. */
  readonly concurrency?: number;
  /** Attempts for each clip. */
  readonly attempts?: number;
  readonly signal: AbortSignal;
}

/** Clips in a row without any answer after which the writer is given up; all, where there are fewer. */
const PATIENCE = 5;

/**
 * Writes for each clip an instruction and an output caption of all seven tasks.
 *
 * Each good one is a line at once, so that a run that is stopped goes on where it was. In the end the lines are put in
 * order and what is missing is listed in `rejected.jsonl`. Throws a DataError where the writer fails for clip after clip.
 */
export async function* writeInstructions(
  options: InstructOptions,
): AsyncGenerator<InstructEvent, void, void> {
  const { folder, clips, concurrency = 4, signal } = options;
  const files = dataFiles(folder);
  const kept = readInstructions(folder, clips);
  writeJsonLines(files.instructions, kept);
  const captioned = clips.filter(({ caption }) => caption !== "");
  const has = Map.groupBy(kept, ({ clip }) => clip);
  const open = captioned.filter(({ index }) => (has.get(index)?.length ?? 0) < TASKS.length);
  const withoutCaption = clips.flatMap(({ caption, index }) => (caption === "" ? [index] : []));
  const count = { clips: clips.length, kept: kept.length, open: open.length };
  yield { type: "instruct-started", folder, ...count, withoutCaption };
  const rejected: RejectedDraft[] = [];
  let silent = 0;
  let done = 0;
  let all: readonly InstructionRecord[];
  try {
    const work = async (clip: ClipRecord, stop: AbortSignal) =>
      await instructed(clip, has.get(clip.index) ?? [], {
        ...options,
        signal: AbortSignal.any([signal, stop]),
      });
    for await (const { clip, accepted, faults, failure } of inParallel(open, concurrency, work)) {
      silent = failure && accepted === 0 ? silent + 1 : 0;
      if (failure && silent >= Math.min(PATIENCE, open.length)) throw failure;
      rejected.push(...faults.map((fault) => ({ clip, ...fault })));
      const event = { clip, done: ++done, open: open.length, accepted, rejected: faults };
      yield { type: "clip-instructed", ...event };
    }
  } finally {
    all = readInstructions(folder, clips);
    writeJsonLines(files.instructions, all);
  }
  writeJsonLines(files.rejected, rejected.toSorted(byClipAndTask));
  yield {
    type: "instructed",
    folder,
    instructions: all.length,
    added: all.length - kept.length,
    rejected: rejected.length,
    reasons: countsOf(rejected.map(({ reason }) => reason)),
    perTask: perTask(all),
  };
}

/** How many instructions each task has. */
export function perTask(records: readonly { task: Task }[]): Record<Task, number> {
  const counts = { style: 0, background: 0, object: 0, multiple: 0, add: 0, remove: 0, texture: 0 };
  for (const { task } of records) counts[task]++;
  return counts;
}

interface Instructed {
  readonly clip: number;
  readonly accepted: number;
  readonly faults: readonly FaultyDraft[];
  /** Why the writer wrote nothing. */
  readonly failure?: DataError;
}

async function instructed(
  { index: clip, caption, sha256 }: ClipRecord,
  before: readonly InstructionRecord[],
  { folder, writer, attempts = 3, signal }: InstructOptions,
): Promise<Instructed> {
  const taken = before.map(({ instruction }) => instruction);
  let tasks = TASKS.filter((task) => !before.some((record) => record.task === task));
  const strays: FaultyDraft[] = [];
  let faults: readonly FaultyDraft[] = [];
  let accepted = 0;
  for (let attempt = 0; attempt < attempts && tasks.length > 0; attempt++) {
    signal.throwIfAborted();
    try {
      const order = { caption, sha256, tasks, attempt, faults: [...faults, ...strays] };
      const proposals = (await writer.write(order, signal)).map(tidied);
      const drafts = proposals.filter(isDraft);
      strays.push(...proposals.filter((proposal) => !isDraft(proposal)).map(strayFault));
      const judged = tasks.map((task) => {
        const { draft, fault } = judge(task, drafts, caption, taken);
        if (draft) taken.push(draft.instruction);
        return { draft, fault };
      });
      for (const { draft } of judged) {
        if (!draft) continue;
        accepted++;
        const record = { clip, inputCaption: caption, by: writer.name, ...draft };
        appendJsonLine(dataFiles(folder).instructions, record);
      }
      faults = judged.flatMap(({ fault }) => fault ?? []);
      tasks = tasks.filter((task) => faults.some((fault) => fault.task === task));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DataError)) throw error;
      const reason = error.message;
      const missing = tasks.map((task) => ({ task, reason, instruction: null }));
      return { clip, accepted, faults: [...missing, ...strays], failure: error };
    }
  }
  return { clip, accepted, faults: [...faults, ...strays] };
}

function strayFault({ task, instruction }: Proposal): FaultyDraft {
  return { task: task.slice(0, 40), reason: "there is no such kind of edit", instruction };
}

/** The first good draft for a task, or what is wrong with the last one. */
function judge(
  task: Task,
  drafts: readonly Draft[],
  caption: string,
  taken: readonly string[],
): { draft?: Draft; fault?: FaultyDraft } {
  let fault: FaultyDraft = { task, reason: "nothing was written", instruction: null };
  for (const draft of drafts.filter((one) => one.task === task)) {
    const reason = faultOf(draft, caption, taken);
    if (reason === undefined) return { draft };
    fault = { task, reason, instruction: draft.instruction };
  }
  return { fault };
}

function countsOf(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
