// The public face: what a program imports from "open-eve". What a function needs is imported where it is called, and here
// alone: video and drawing libraries and all of the editor take a second, which a program that has not begun should not pay.
import type { Editor } from "./editing/editor.ts";
import type { LoadOptions } from "./editing/options.ts";
import type { Receipt } from "./editing/report/receipt.ts";
import type { LoadOpenOptions } from "./hub/open-editor.ts";

/**
 * Loads a model and makes an editor of it; that loads libtorch, too.
 *
 * Throws a UserError where there is no model, a MemoryError where it is larger than the free memory, a DataError where it is
 * damaged, a ConfigError where the device is missing.
 */
export async function loadEditor(options: LoadOptions = {}): Promise<Editor> {
  const editing = await import("./editing/editor.ts");
  return editing.loadEditor(options);
}

/**
 * Loads the model of public weights at full size and makes an editor of it; that loads libtorch, too.
 *
 * Throws a UserError of one sentence where weights are missing, and a MemoryError where they do not fit.
 */
export async function loadOpenEditor(options: LoadOpenOptions = {}): Promise<Editor> {
  const editing = await import("./hub/open-editor.ts");
  return editing.loadOpenEditor(options);
}

/** Reads a receipt that an edit has written. */
export async function readReceipt(path: string): Promise<Receipt> {
  const receipts = await import("./editing/report/receipt.ts");
  return receipts.readReceipt(path);
}

/** Writes packed RGB as a PNG; what was at `path` stays until the new file is complete. */
export async function writePng(
  path: string,
  rgb: Uint8Array,
  width: number,
  height: number,
): Promise<void> {
  const pictures = await import("./data/image/png.ts");
  return pictures.writePng(path, rgb, width, height);
}

export type { Editor } from "./editing/editor.ts";
export type {
  EditOptions,
  EstimateOptions,
  LoadOptions,
  PreviewOptions,
} from "./editing/options.ts";
export type { RgbImage } from "./data/image/rgb-image.ts";
export type { Codec, Quality } from "./data/video/codecs.ts";
export type { OutputChoice } from "./data/video/outputs.ts";
export type { PictureLayout } from "./data/video/picture-folder.ts";
export type { FrameSource, InputFrame, InputFrames } from "./data/video/frame-source.ts";
export type { DecodedFrame } from "./data/video/reader.ts";
export type { TimeBase } from "./data/video/time-base.ts";
export type { VideoSource } from "./data/video/video-source.ts";
export type { Resumption } from "./editing/frames/work-folder.ts";
export type { OpenEditorOptions } from "./editing/open-editor.ts";
export type { ChangeMeter } from "./editing/report/change-meter.ts";
export type { Advice, Changes } from "./editing/report/changes.ts";
export type { EditEstimate } from "./editing/report/estimate.ts";
export { MemoryError } from "./editing/report/memory-error.ts";
export type {
  EditEnd,
  EditEvent,
  EditResult,
  EditStart,
  EditWarning,
} from "./editing/report/events.ts";
export type { WatchOptions } from "./editing/run-edit.ts";
export type { EditingModel, LoraChoice } from "./editing/settings/model.ts";
export type { EditedFrame } from "./editing/settings/edited-frame.ts";
export type { EditProgress } from "./editing/report/progress.ts";
export type {
  EditSettings,
  EditSettingsInput,
  ResolvedSettings,
} from "./editing/settings/settings.ts";
export type { VideoEdit } from "./editing/video-edit.ts";
export type { OpenFolders } from "./eve/open/open-folders.ts";
export type { LoadOpenOptions } from "./hub/open-editor.ts";
export type { Receipt } from "./editing/report/receipt.ts";
export type { DeviceChoice } from "./engine/device-choices.ts";
export { ConfigError, DataError, ShapeError, UserError } from "./engine/errors.ts";
