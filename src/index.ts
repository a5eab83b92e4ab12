// The public face: what a program imports from "open-eve".
export { loadEditor, type Editor } from "./editing/editor.ts";
export type {
  EditOptions,
  EstimateOptions,
  LoadOptions,
  PreviewOptions,
} from "./editing/options.ts";
export type { RgbImage } from "./data/image/rgb-image.ts";
export { writePng } from "./data/image/png.ts";
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
export { MemoryError, type EditEstimate } from "./editing/report/estimate.ts";
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
export { loadOpenEditor, type LoadOpenOptions } from "./hub/open-editor.ts";
export { readReceipt, type Receipt } from "./editing/report/receipt.ts";
export type { DeviceChoice } from "./engine/device-choices.ts";
export { ConfigError, DataError, ShapeError, UserError } from "./engine/errors.ts";
