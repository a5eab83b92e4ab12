import type { VideoSource } from "../../src/data/video/video-source.ts";
import { Editor } from "../../src/editing/editor.ts";
import type { EditOptions } from "../../src/editing/options.ts";
import type { EditEvent } from "../../src/editing/report/events.ts";
import type { EditedFrame } from "../../src/editing/settings/edited-frame.ts";
import type { VideoEdit } from "../../src/editing/video-edit.ts";
import { standInModel, type StandInOptions } from "../editing/stand-in-model.ts";

/** The tests' own machine may be short of memory, which an edit would measure first. */
export const PLENTY = () => ({ heldBytes: 1e8, availableBytes: 1e11 });

/** An editor around a model without networks. */
export function standInEditor(options: StandInOptions = {}): Editor {
  return new Editor(standInModel(options), PLENTY);
}

/** All frames of an edit. */
export async function framesEdited(
  editor: Editor,
  input: VideoSource,
  instruction: string,
  options: EditOptions = {},
): Promise<EditedFrame[]> {
  const all: EditedFrame[] = [];
  const onFrame = (frame: EditedFrame) => void all.push(frame);
  await editor.edit(input, instruction, { ...options, onFrame }).result;
  return all;
}

/** All that an edit tells. */
export async function eventsOf(edit: VideoEdit): Promise<EditEvent[]> {
  const all: EditEvent[] = [];
  for await (const event of edit) all.push(event);
  return all;
}

/** The events of one type. */
export function only<Type extends EditEvent["type"]>(events: readonly EditEvent[], type: Type) {
  return events.filter((event): event is Extract<EditEvent, { type: Type }> => event.type === type);
}
