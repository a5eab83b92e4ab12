// The public face: what a program imports from "open-eve".
export {
  loadEditor,
  type EditOptions,
  type Editor,
  type LoadOptions,
  type PreviewOptions,
} from "./editing/editor.ts";
export type { ChangeMeter } from "./editing/change-meter.ts";
export type { Changes } from "./editing/changes.ts";
export { MemoryError, type EditEstimate } from "./editing/estimate.ts";
export type { EditEvent, EditResult } from "./editing/events.ts";
export type { EditedFrame } from "./editing/edited-frame.ts";
export type { EditProgress } from "./editing/progress.ts";
export type { EditSettings, EditSettingsInput, ResolvedSettings } from "./editing/settings.ts";
export type { VideoEdit } from "./editing/video-edit.ts";
export type { OpenFolders } from "./eve/open/open-folders.ts";
export { loadOpenEditor, type LoadOpenOptions } from "./hub/open-editor.ts";
export { readReceipt, type Receipt } from "./editing/receipt.ts";
export type { DeviceChoice } from "./engine/device.ts";
export { ConfigError, DataError, ShapeError, UserError } from "./engine/errors.ts";
