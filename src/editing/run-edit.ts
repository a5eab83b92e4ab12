import { freeBytes } from "../data/byte-pictures.ts";
import { writeOutput } from "../data/video/outputs.ts";
import type { VideoInfo } from "../data/video/video-info.ts";
import type { WrittenVideo } from "../data/video/writer.ts";
import { EDITED_BY_MODEL } from "../data/video/xmp.ts";
import { ahead } from "../engine/ahead.ts";
import { defaultDevice } from "../engine/device.ts";
import { returnFreedMemory } from "../engine/freed-memory.ts";
import { orAborted } from "../engine/or-aborted.ts";
import { arithmetic } from "../engine/provenance.ts";
import { onOneThread } from "../engine/settings.ts";
import type { EditRequest } from "./check.ts";
import { draftReceipt, finishedReceipt } from "./draft-receipt.ts";
import type { Comparison } from "./comparison/comparison.ts";
import { newComparison } from "./comparison/comparison-kinds.ts";
import { editedClip } from "./frames/pipeline.ts";
import type { WorkFolder } from "./frames/work-folder.ts";
import {
  editedFrameCount,
  estimateIfNeeded,
  type PreparedEdit,
  preparedEdit,
} from "./prepared-edit.ts";
import { claimFile, claimOutput } from "./kept-files.ts";
import { keptWork, requireRepeatable, type WorkOptions } from "./kept-work.ts";
import { ChangeMeter } from "./report/change-meter.ts";
import { changeHints } from "./report/changes.ts";
import type { processMemory } from "./report/estimate.ts";
import type { EditResult } from "./report/events.ts";
import { ProgressMeter, totalWork } from "./report/progress.ts";
import { receiptComment, writeReceipt } from "./report/receipt.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";
import type { EditingModel } from "./settings/model.ts";
import { requireDifferent } from "./unread.ts";
import type { EditListeners } from "./video-edit.ts";

/** What is wanted of an edit besides the video that it makes. */
export interface WatchOptions extends WorkOptions {
  /** Gets each frame when it is finished; the edit waits for it, until it is stopped. Without it, each is freed as it is written. */
  readonly onFrame?: ((frame: EditedFrame) => void | Promise<void>) | undefined;
  /** Gets the measurements of what changed when the edit is done, for its map. */
  readonly onChanges?: ((changes: ChangeMeter) => void) | undefined;
}

/** The same, and who tells how much memory there is. */
export interface RunOptions extends WatchOptions {
  /** Whether what lies where the output goes may be replaced; default false. */
  readonly overwrite?: boolean | undefined;
  readonly memory: typeof processMemory;
}

/** Pictures that are decoded before the model wants them; as many wait for the encoder. */
const FRAMES_AHEAD = 8;
/** Fewer, where they are large. */
const BYTES_AHEAD = 32e6;

function framesAhead({ width, height }: VideoInfo): number {
  const fitting = Math.floor(BYTES_AHEAD / (width * height * 3));
  return Math.max(1, Math.min(FRAMES_AHEAD, fitting));
}

/** Edits one video: tells of it, writes it if asked to, and returns what it came to. */
export async function runEdit(
  model: EditingModel,
  request: EditRequest,
  options: RunOptions,
  { signal, onEvent }: EditListeners,
): Promise<EditResult> {
  using _ = { [Symbol.dispose]: returnFreedMemory }; // a program may go on without editing
  const startedAt = performance.now();
  onEvent({ type: "progress", phase: "reading" });
  signal.throwIfAborted();
  requireRepeatable(request.source, options);
  using _claim = claimFiles(request, options);
  const edit = await preparedEdit(model, request, {
    signal,
    onWarning: (message) => onEvent({ type: "warning", message }),
  });
  const { info, settings, output } = edit;
  const estimate = await estimateIfNeeded(edit, options.memory, signal);
  if (estimate) onEvent(estimate);
  const draft = await draftReceipt(request, edit, signal);
  onEvent(startOf(edit));
  using work = await keptWork(edit, draft, options, signal);
  await using comparison = comparisonOf(request, edit);
  using changes = new ChangeMeter({ withMap: options.onChanges !== undefined });
  const frames = ahead(
    (inner) => watchedFrames(edit, { changes, work, comparison, options, signal: inner, onEvent }),
    framesAhead(edit.info),
    signal,
  );
  const finished = options.onFrame ? frames : freedBehind(frames);
  const { notices, ...written } = await consume(finished, edit, receiptComment(draft), signal);
  const changed = changes.result();
  const seconds = (performance.now() - startedAt) / 1000;
  const receipt = finishedReceipt(draft, edit, { ...written, changes: changed, seconds });
  if (output !== undefined) await writeReceipt(receipt);
  work?.remove();
  const unshown = (await comparison?.write(receipt)) ?? [];
  for (const message of [...notices, ...unshown]) onEvent({ type: "warning", message });
  for (const hint of changeHints(changed, settings)) onEvent({ type: "warning", ...hint });
  options.onChanges?.(changes);
  return {
    ...(output === undefined ? {} : { output }),
    ...written,
    width: info.width,
    height: info.height,
    seconds,
    settings,
    changes: changed,
    receipt,
  };
}

/** Claims what is written, until it is disposed. */
function claimFiles(
  { output, compare }: EditRequest,
  { overwrite = false }: Pick<RunOptions, "overwrite">,
): Disposable {
  requireDifferent([output, compare]);
  using claims = new DisposableStack();
  if (output !== undefined) claims.use(claimOutput(output, overwrite));
  if (compare !== undefined) claims.use(claimFile(compare, overwrite));
  return claims.move();
}

function comparisonOf({ compare }: EditRequest, { info }: PreparedEdit): Comparison | undefined {
  return compare === undefined ? undefined : newComparison(compare, info);
}

function startOf({ info, settings }: PreparedEdit) {
  const { threads, precision } = arithmetic();
  const { frames, width, height } = info;
  return {
    type: "start" as const,
    frames,
    width,
    height,
    device: defaultDevice(),
    precision,
    threads: Number(threads),
    settings,
  };
}

interface Watching {
  readonly changes: ChangeMeter;
  readonly work: WorkFolder | undefined;
  readonly comparison: Comparison | undefined;
  readonly options: RunOptions;
}

/** The clip's frames, each measured and shown to whoever waits for it. */
async function* watchedFrames(
  edit: PreparedEdit,
  { changes, work, comparison, options, signal, onEvent }: Watching & EditListeners,
): AsyncGenerator<EditedFrame, void, undefined> {
  const { model, source, info, chain, settings } = edit;
  const count = editedFrameCount(edit);
  const total = count === null ? null : chain.length * totalWork(count, settings);
  const meter = new ProgressMeter({ frames: info.frames, steps: settings.steps, work: total });
  const decoded = ahead((inner) => source.frames(inner), framesAhead(info), signal);
  const frames = editedClip(decoded, {
    model,
    info,
    chain,
    work,
    signal,
    onStep: (step, moved) => onEvent(meter.step(step, moved)),
    onRestored: (moved) => meter.skip(moved),
  });
  for await (const frame of frames) {
    onOneThread(() => changes.add(frame));
    const shown = options.onFrame?.(frame);
    if (shown !== undefined) await orAborted(shown, signal); // who waits for the edit to stop is not waited for
    await comparison?.add(frame);
    signal.throwIfAborted();
    onEvent(meter.frameDone());
    yield frame;
  }
  onEvent({ type: "progress", phase: "writing" });
}

/**
 * The frames, the picture of each freed when the next one is asked for: nobody but the writer has seen it.
 *
 * Left to the collector, it would be marked and swept with all objects of the program. The sources are left to it:
 * freed one by one, too, they lie so among the model's pictures that memory goes to pieces.
 */
async function* freedBehind(
  frames: AsyncIterable<EditedFrame>,
): AsyncGenerator<EditedFrame, void, undefined> {
  for await (const frame of frames) {
    yield frame;
    freeBytes(frame.rgb);
  }
}

/** Takes all frames, into the output if there is one; `notices` says what the file turned out not to hold. */
async function consume(
  frames: AsyncIterable<EditedFrame>,
  { info, output, encoding }: PreparedEdit,
  comment: string,
  signal: AbortSignal,
): Promise<Pick<WrittenVideo, "frames" | "audioStreams" | "notices">> {
  if (output === undefined) {
    let count = 0;
    for await (const _ of frames) count++;
    return { frames: count, audioStreams: 0, notices: [] };
  }
  const {
    frames: count,
    audioStreams,
    notices,
  } = await writeOutput(info, output, frames, {
    ...encoding,
    metadata: { comment },
    digitalSourceType: EDITED_BY_MODEL,
    signal,
  });
  return { frames: count, audioStreams, notices };
}
