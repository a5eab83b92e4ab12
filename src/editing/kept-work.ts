import type { OpenSource } from "../data/video/video-source.ts";
import { UserError } from "../engine/errors.ts";
import type { DraftReceipt } from "./draft-receipt.ts";
import { type Resumption, WorkFolder } from "./frames/work-folder.ts";
import { isLong, type PreparedEdit } from "./prepared-edit.ts";

/** Whether an edit goes on from kept work, and keeps its own. */
export interface WorkOptions {
  /** Whether to continue an edit to the same output that was stopped, if there is one; default false. */
  readonly resume?: Resumption | undefined;
  /** Keeps the finished windows of a long clip beside the output if the edit is stopped. */
  readonly keepWork?: boolean | undefined;
}

/** Throws a UserError of one sentence where work is to be kept or continued of frames that can be read once. */
export function requireRepeatable(
  source: OpenSource,
  { resume = false, keepWork = false }: WorkOptions,
): void {
  if (source.type === "file" || source.isRepeatable || !(resume || keepWork)) return;
  throw new UserError(
    `${resume ? "resume" : "keepWork"}: expected video.frames that can be read again and are the same then: give an array, or a function that gives them anew`,
  );
}

/** Where the finished windows of an edit are kept, if they are to be. Frames of a program are read once for it, to know them again. */
export async function keptWork(
  edit: PreparedEdit,
  { versions: made, input, model, settings }: DraftReceipt,
  { resume = false, keepWork = false }: WorkOptions,
  signal: AbortSignal,
): Promise<WorkFolder | undefined> {
  const { source, output } = edit;
  if (output === undefined || !(resume || (keepWork && isLong(edit)))) return undefined;
  const frames = source.type === "frames" ? await source.fingerprint(signal) : input.sha256;
  // The mask is applied to finished frames.
  const decisive = { ...settings, mask: "", feather: 0 };
  const identity = { input: frames, model: model.hash, settings: decisive, machine: made };
  return WorkFolder.open(output, identity, resume);
}
