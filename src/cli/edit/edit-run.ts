import { existsSync } from "node:fs";
import { extname } from "node:path";
import { writePng } from "../../data/image/png.ts";
import { requireWritable } from "../../data/output-file.ts";
import type { OutputChoice } from "../../data/video/outputs.ts";
import type { CheckedRequest } from "../../editing/check.ts";
import type { Editor } from "../../editing/editor.ts";
import type { Resumption } from "../../editing/frames/work-folder.ts";
import { workPath } from "../../editing/frames/work-path.ts";
import type { ChangeMeter } from "../../editing/report/change-meter.ts";
import type { Changes } from "../../editing/report/changes.ts";
import type { EditEvent, EditResult } from "../../editing/report/events.ts";
import type { EditedFrame } from "../../editing/settings/edited-frame.ts";
import { requireDifferent, requireUnread } from "../../editing/unread.ts";
import { UserError } from "../../engine/errors.ts";
import { byteSize } from "../../engine/byte-size.ts";
import { duration, type Reporter } from "../output.ts";

/** One edit that a command does; `checkRequest` has checked it. */
export interface EditJob extends Pick<CheckedRequest, "settings"> {
  readonly video: string;
  readonly output: string;
  /** What the receipt calls the video; its path by default. */
  readonly videoName?: string | undefined;
  /** How the output is stored, as far as its name does not say. */
  readonly encoding?: OutputChoice | undefined;
  /** Whether finished windows are kept beside the output if it is stopped; default true. */
  readonly keepWork?: boolean | undefined;
  /** Where to show input and result together. */
  readonly compare?: string | undefined;
  /** Where to draw what changed. */
  readonly changeMap?: string | undefined;
  readonly resume?: Resumption | undefined;
  /** Gets each finished frame. */
  readonly onFrame?: ((frame: EditedFrame) => void) | undefined;
}

/** Who runs a job, and who hears of it. */
export interface JobContext {
  readonly editor: Editor;
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/** The same for who is told what an edit tells, and shows it or passes it on. */
export interface ToldContext extends Pick<JobContext, "editor" | "signal"> {
  readonly tell: (event: EditEvent) => void;
}

/** Throws a UserError unless a path names a PNG that can be written. */
export async function requirePng(flag: string, path: string): Promise<void> {
  if (extname(path).toLowerCase() !== ".png") {
    throw new UserError(`${flag}: expected a .png file, got "${path}"`);
  }
  await requireWritable(path);
}

/** Does one edit with all that is to be written beside it, and shows it as it goes. */
export async function runJob(job: EditJob, context: JobContext): Promise<EditResult> {
  const { report, signal } = context;
  try {
    return await toldJob(job, { ...context, tell: (event) => showEvent(event, report) });
  } catch (error) {
    if (signal.aborted && isUnfinished(job.output))
      report.warn(`${job.output} is not finished: the same command with --resume continues it`);
    throw error;
  }
}

/** Whether work on the edit that writes `output` was left behind. */
export function isUnfinished(output: string): boolean {
  return existsSync(workPath(output));
}

/** Does one edit with all that is to be written beside it. */
export async function toldJob(
  job: EditJob,
  { editor, signal, tell }: ToldContext,
): Promise<EditResult> {
  const { video, videoName, output, encoding, settings } = job;
  const { compare, changeMap, resume, keepWork = true } = job;
  requireDifferent([output, compare, changeMap]);
  requireUnread([compare, changeMap], [video, settings.mask]);
  const { instruction, ...options } = settings;
  let changes: ChangeMeter | undefined;
  const edit = editor.edit(video, instruction, {
    ...options,
    output,
    compare,
    encoding,
    videoName,
    overwrite: true, // who asks for a job has seen to what may be replaced
    signal,
    resume,
    keepWork,
    onFrame: job.onFrame,
    ...(changeMap === undefined ? {} : { onChanges: (meter) => (changes = meter) }),
  });
  for await (const event of edit) tell(event);
  const map = changes?.map();
  if (changeMap !== undefined && map) await writePng(changeMap, map.rgb, map.width, map.height);
  return edit.result;
}

/** Shows what an edit tells; its end is the caller's to report. */
export function showEvent(event: EditEvent, report: Reporter): void {
  switch (event.type) {
    case "progress":
      return report.progress(event);
    case "warning":
      return report.note({ ...event }, warningLine(event));
    case "start":
      return report.event({ ...event });
    case "estimate":
      return report.note({ ...event }, estimateLine(event));
    case "end":
      return undefined;
  }
}

/** e.g. `almost nothing changed: try --strength bold` */
export function warningLine({
  message,
  advice = [],
}: Extract<EditEvent, { type: "warning" }>): string {
  if (advice.length === 0) return message;
  const tries = advice.map(({ setting, value }) => {
    if (setting === "instruction") return "other words";
    if (setting === "seed") return "another --seed";
    return value === undefined ? `--${setting}` : `--${setting} ${value}`;
  });
  return `${message}: try ${tries.join(", or ")}`;
}

/** e.g. `about 3 min 20 s and 0.8 GB of memory (5.1 GB are free)`. */
export function estimateLine(estimate: Extract<EditEvent, { type: "estimate" }>): string {
  const { seconds, memoryBytes, availableBytes } = estimate;
  const time = seconds === null ? "a time that only decoding would tell" : duration(seconds);
  return `about ${time} and ${byteSize(memoryBytes)} of memory (${byteSize(availableBytes)} more are free)`;
}

/** e.g. `12.4 % of the pixels changed, by 4.2 of 255 on average; it flickers 1.3 times as much as the input`. */
export function changesLine({ frames, changedShare, meanDifference, flicker }: Changes): string {
  const share = `${(100 * changedShare).toFixed(1)} % of the pixels changed`;
  const mean = `a mean difference of ${meanDifference.toFixed(1)} of 255`;
  if (frames < 2) return `${share}, ${mean}`;
  const steadiness =
    flicker.source > 0
      ? `from frame to frame ${(flicker.result / flicker.source).toFixed(2)} times the input's differences`
      : `from frame to frame differences of ${flicker.result.toFixed(1)}, the input has none`;
  return `${share}, ${mean}; ${steadiness}`;
}

/** Reports the end of an edit: what was made, where it was computed, and what changed. */
export function reportEnd(result: EditResult, output: string, report: Reporter): void {
  const { frames, width, height, seconds, receipt, changes } = result;
  const { task, method, seed, further } = receipt.settings;
  const edits = further.length === 0 ? String(task) : `${further.length + 1} edits`;
  const { device, precision } = receipt.versions;
  report.event(
    { ...receipt, type: "edited" },
    `${output}: ${frames === 1 ? "one frame" : `${frames} frames`} of ${width} × ${height}, ${edits}, ${method}, seed ${seed}, in ${duration(seconds)} on ${device} in ${precision}\n  ${changesLine(changes)}`,
  );
}
