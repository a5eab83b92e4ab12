// The public face: what a program imports from "open-eve".
export { loadEditor, type EditOptions, type Editor, type LoadOptions } from "./editing/editor.ts";
export type { EditResult, VideoEdit } from "./editing/video-edit.ts";
export type { EditedFrame } from "./editing/edited-frames.ts";
export type { EditProgress } from "./editing/progress.ts";
export type { EditSettings, EditSettingsInput, ResolvedSettings } from "./editing/settings.ts";
export type { Receipt } from "./editing/receipt.ts";
export { ConfigError, DataError, ShapeError, UserError } from "./engine/errors.ts";
