import type { VideoInfo } from "../../data/video/video-info.ts";
import type { DecodedFrame } from "../../data/video/reader.ts";
import { invariant } from "../../engine/errors.ts";
import { type EditedFrame, untouched } from "../settings/edited-frame.ts";
import type { EditingModel } from "../settings/model.ts";
import type { ResolvedSettings } from "../settings/settings.ts";
import { withinSpan } from "../settings/span.ts";
import type { WindowEditOptions } from "../windows/window-editor.ts";
import { editedFrames } from "./edited-frames.ts";
import { withinMask } from "./mask.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Who edits a clip, and how. */
export interface ClipEditing extends WindowEditOptions {
  readonly model: EditingModel;
  readonly info: VideoInfo;
  /** One edit after another: each takes the frames of the one before it. */
  readonly chain: readonly ResolvedSettings[];
  readonly work?: WorkFolder | undefined;
  readonly onRestored?: ((frames: number) => void) | undefined;
}

/** A clip's frames, edited where span and mask say so and the source's own elsewhere. */
export function editedClip(
  frames: AsyncIterable<DecodedFrame>,
  editing: ClipEditing,
): AsyncIterable<EditedFrame> {
  const { frames: span } = settingsOf(editing);
  return withinSpan(
    untouched(frames),
    span,
    (inside, first) => editedSpan(inside, first, editing),
    editing.info,
  );
}

/** Frames that are all edited; `first` is the index of the first one in its clip. */
export function editedSpan(
  frames: AsyncIterable<EditedFrame>,
  first: number,
  editing: ClipEditing,
): AsyncIterable<EditedFrame> {
  const { model, chain, work, signal, onStep, onRestored } = editing;
  const edited = chain.reduce<AsyncIterable<EditedFrame>>(
    (before, settings, number) =>
      editedFrames(before, {
        model,
        settings,
        first,
        signal,
        onStep,
        store: work?.stage(number),
        onRestored,
      }),
    frames,
  );
  const { mask, feather } = settingsOf(editing);
  return mask === "" ? edited : withinMask(edited, { path: mask, feather, signal });
}

function settingsOf({ chain }: ClipEditing): ResolvedSettings {
  const [first] = chain;
  invariant(first, "an edit has at least one instruction");
  return first;
}
