import type { OutputChoice } from "../data/video/outputs.ts";
import type { VideoInfo } from "../data/video/video-info.ts";
import type { OpenSource } from "../data/video/video-source.ts";
import { returnFreedMemory } from "../engine/freed-memory.ts";
import { checkRequest, type EditRequest } from "./check.ts";
import { calibrate } from "./report/calibration.ts";
import {
  type EditEstimate,
  estimateEdit,
  type processMemory,
  requireMemory,
} from "./report/estimate.ts";
import type { EditingModel } from "./settings/model.ts";
import {
  chainOf,
  methodWarning,
  type ResolvedSettings,
  resolveSettings,
} from "./settings/settings.ts";
import { framesWithin, parseSpan } from "./settings/span.ts";
import { unknownWordsWarning } from "./settings/unknown-words.ts";

/** Clips of more windows are long: what they take is estimated first, and their work is worth keeping. */
const LONG = 8;
/** Free memory that is plenty for a short clip, however it is edited. */
const PLENTY_BYTES = 6e9;

/** An edit with all that is settled before it begins. */
export interface PreparedEdit {
  readonly model: EditingModel;
  readonly source: OpenSource;
  readonly info: VideoInfo;
  readonly settings: ResolvedSettings;
  readonly chain: readonly ResolvedSettings[];
  readonly output: string | undefined;
  readonly encoding: OutputChoice | undefined;
}

/** Who stops an edit that is being settled, and hears what to know about it. */
export interface PreparationListeners {
  readonly signal: AbortSignal;
  readonly onWarning: (message: string) => void;
}

/** Settles an edit of `request`; throws, as `checkRequest` does, for what cannot be. */
export async function preparedEdit(
  model: EditingModel,
  request: EditRequest,
  { signal, onWarning }: PreparationListeners,
): Promise<PreparedEdit> {
  const { info, settings: asked, notices } = await checkRequest(request, signal);
  const settings = resolveSettings(asked, model);
  const words = [settings.instruction, ...settings.further, settings.caption].join(" ");
  const warnings = [
    ...notices,
    methodWarning(asked.method, settings, model),
    unknownWordsWarning(model.tokenizer.unknownWords(words)),
  ];
  for (const warning of warnings) if (warning !== undefined) onWarning(warning);
  const { source, output, encoding } = request;
  return { model, source, info, settings, chain: chainOf(settings), output, encoding };
}

/** How many frames are edited; null where nobody knows before the end. */
export function editedFrameCount({ info, settings }: PreparedEdit): number | null {
  return framesWithin(parseSpan(settings.frames).span, info);
}

/** Whether a clip has so many windows that it is estimated first, and its work worth keeping. */
export function isLong(edit: PreparedEdit): boolean {
  return (editedFrameCount(edit) ?? Infinity) > LONG * edit.settings.window;
}

/** What an edit will take; nothing is edited. Throws a MemoryError where there is not enough memory. */
export async function estimatedEdit(
  edit: PreparedEdit,
  memory: typeof processMemory,
  signal: AbortSignal,
): Promise<EditEstimate> {
  returnFreedMemory(); // what tensors have left behind is free for this edit
  const before = memory();
  const calibration = await calibrate(edit.model, edit.settings, signal);
  requireMemory(edit.info, edit.chain, calibration, before);
  const { defaults } = edit.model;
  return estimateEdit(edit.info, edit.chain, { calibration, memory: before, defaults });
}

/** The same before a long clip, and wherever memory may be short; else nothing. */
export async function estimateIfNeeded(
  edit: PreparedEdit,
  memory: typeof processMemory,
  signal: AbortSignal,
): Promise<EditEstimate | undefined> {
  if (!isLong(edit) && memory().availableBytes >= PLENTY_BYTES) return undefined;
  return estimatedEdit(edit, memory, signal);
}
