import { readFrames } from "../data/video/reader.ts";
import type { VideoInfo } from "../data/video/probe.ts";
import { type OutputChoice, writeOutput } from "../data/video/outputs.ts";
import type { WrittenVideo } from "../data/video/writer.ts";
import { EDITED_BY_MODEL } from "../data/video/xmp.ts";
import { arithmetic, versions } from "../training/provenance.ts";
import { type CheckedRequest, checkRequest, type EditRequest } from "./check.ts";
import { type EditedFrame, editedFrames } from "./edited-frames.ts";
import { Handover } from "./handover.ts";
import type { EditingModel } from "./model.ts";
import { type EditProgress, ProgressMeter } from "./progress.ts";
import { fileHash, receiptComment, writeReceipt } from "./receipt.ts";
import {
  type EditSettings,
  methodWarning,
  type ResolvedSettings,
  resolveSettings,
} from "./settings.ts";
import { unknownWordsWarning } from "./unknown-words.ts";
import type { EditResult } from "./video-edit.ts";

/** Who wants to hear of an edit, and may stop it. */
export interface EditListeners {
  /** Stops the edit within one denoising step; nothing is left of it. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: EditProgress) => void) | undefined;
  /** Called with one sentence for each thing that is not as it was asked for. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Edits one video: hands out its frames, writes it if asked to, and returns what it came to. */
export async function* runEdit(
  model: EditingModel,
  request: EditRequest,
  { signal, onProgress, onWarning }: EditListeners,
): AsyncGenerator<EditedFrame, EditResult, undefined> {
  const startedAt = performance.now();
  onProgress?.({ type: "progress", phase: "reading" });
  signal?.throwIfAborted();
  const { info, settings, asked, notices } = await resolvedRequest(model, request);
  for (const notice of notices) onWarning?.(notice);
  const warning = methodWarning(asked, settings, model);
  if (warning !== undefined) onWarning?.(warning);
  warnOfUnknownWords(model, settings, onWarning);
  const draft = {
    program: "open-eve" as const,
    versions: { ...versions(), ...arithmetic() },
    input: await inputOf(request, info, signal),
    model: { name: model.name, path: model.path, hash: model.hash },
    settings,
  };
  const meter = new ProgressMeter(info.frames, settings);
  const pictures = editedFrames(readFrames(info.path, signal ? { signal } : {}), {
    model,
    settings,
    signal,
    onStep: (step, frames) => onProgress?.(meter.step(step, frames)),
  });
  const counted = countFrames(pictures, () => onProgress?.(meter.frameDone()));
  const { output, encoding } = request;
  const {
    frames,
    audioStreams,
    notices: losses,
  } = output === undefined
    ? { frames: yield* counted, audioStreams: 0, notices: [] }
    : yield* written(counted, {
        info,
        output,
        encoding,
        comment: receiptComment(draft),
        signal,
        onEnd: () => onProgress?.({ type: "progress", phase: "writing" }),
      });
  const seconds = (performance.now() - startedAt) / 1000;
  for (const loss of losses) onWarning?.(loss);
  const made = { path: output ?? "", frames, ...encoding, digitalSourceType: EDITED_BY_MODEL };
  const receipt = { ...draft, output: made, seconds };
  if (output !== undefined) await writeReceipt(receipt);
  const { width, height } = info;
  return {
    ...(output === undefined ? {} : { output }),
    frames,
    width,
    height,
    audioStreams,
    seconds,
    settings,
    receipt,
  };
}

async function resolvedRequest(
  model: EditingModel,
  request: EditRequest,
): Promise<
  Pick<CheckedRequest, "info" | "notices"> & {
    settings: ResolvedSettings;
    asked: EditSettings["method"];
  }
> {
  const { info, settings, notices } = await checkRequest(request);
  return { info, notices, settings: resolveSettings(settings, model), asked: settings.method };
}

/** What the receipt says of the input; content credentials are named because they do not apply to the result. */
async function inputOf(
  { video, videoName = video }: EditRequest,
  { contentCredentials }: VideoInfo,
  signal: AbortSignal | undefined,
) {
  const sha256 = await fileHash(video, signal);
  const found =
    contentCredentials === null ? {} : { contentCredentials: `C2PA in ${contentCredentials}` };
  return { path: videoName, sha256, ...found };
}

function warnOfUnknownWords(
  { tokenizer }: EditingModel,
  { instruction, caption }: ResolvedSettings,
  onWarning: EditListeners["onWarning"],
): void {
  const warning = unknownWordsWarning(tokenizer.unknownWords(`${instruction} ${caption}`));
  if (warning !== undefined) onWarning?.(warning);
}

/** The same frames; returns how many there were. */
async function* countFrames(
  frames: AsyncIterable<EditedFrame>,
  onFrame: () => void,
): AsyncGenerator<EditedFrame, number, undefined> {
  let count = 0;
  for await (const frame of frames) {
    count++;
    onFrame();
    yield frame;
  }
  return count;
}

interface Writing {
  readonly info: VideoInfo;
  readonly output: string;
  readonly encoding: OutputChoice | undefined;
  readonly comment: string;
  readonly signal: AbortSignal | undefined;
  /** Called when the last frame is handed over. */
  readonly onEnd: () => void;
}

/** The same frames, written a few behind. */
async function* written(
  frames: AsyncIterable<EditedFrame>,
  { info, output, encoding, comment, signal, onEnd }: Writing,
): AsyncGenerator<EditedFrame, WrittenVideo, undefined> {
  // Frames wait for the encoder while the next window is edited.
  const handover = new Handover<EditedFrame>({ ahead: 4 });
  const options = {
    ...encoding,
    metadata: { comment },
    digitalSourceType: EDITED_BY_MODEL,
    ...(signal ? { signal } : {}),
  };
  const writing = writeOutput(info, output, handover, options);
  // A failure shows where `writing` is awaited, which may be after it happened.
  writing.catch(() => undefined);
  try {
    for await (const frame of frames) {
      await Promise.race([handover.put(frame), writing]);
      yield frame;
    }
    onEnd();
    handover.end();
    return await writing;
  } finally {
    handover.fail(new DOMException("the edit was stopped", "AbortError"));
    await Promise.allSettled([writing]);
  }
}
