import { fitFrame } from "../data/video/fit.ts";
import { bytesOf, freeBytes } from "../data/byte-pictures.ts";
import { toPackedBytes, toPixels } from "../data/pixels.ts";
import { tensorScope } from "../engine/scope.ts";
import { onOneThread } from "../engine/settings.ts";
import type { Pixels } from "../engine/tensor.ts";
import { breathe } from "./denoising.ts";
import { keepDetail, unfitted } from "./detail.ts";
import type { EditedFrame } from "./edited-frame.ts";
import { HeldTensors } from "../engine/held-tensors.ts";
import type { EditingModel } from "./model.ts";
import { isTogether, type ResolvedSettings } from "./settings.ts";
import { WindowEditor, type WindowEditOptions, type WindowLatents } from "./window-editor.ts";
import { inWindows, type WindowPlace } from "./windows.ts";
import type { WindowStore } from "./work-folder.ts";

/** Who edits, and how. */
export interface FrameEditing extends WindowEditOptions {
  readonly model: EditingModel;
  readonly settings: ResolvedSettings;
  /** Index in its clip of the first frame, by which noise goes; 0 by default. */
  readonly first?: number | undefined;
  /** Where finished windows are kept, and found again. */
  readonly store?: WindowStore | undefined;
  /** Called with the number of frames of a window that was found finished. */
  readonly onRestored?: ((frames: number) => void) | undefined;
}

/**
 * Edits frames as they come, one window at a time, and hands them out at their own size.
 *
 * Holds one window of frames and the latents of another, however long the clip is.
 */
export async function* editedFrames(
  frames: AsyncIterable<EditedFrame>,
  editing: FrameEditing,
): AsyncGenerator<EditedFrame, void, undefined> {
  using editor = new WindowEditor(editing.model, editing.settings, editing.first);
  let number = 0;
  for await (const group of inWindows(frames, editing.settings)) {
    yield* editGroup(group, number++, editor, editing);
  }
}

async function* editGroup(
  group: readonly EditedFrame[],
  number: number,
  editor: WindowEditor,
  editing: FrameEditing,
): AsyncGenerator<EditedFrame, void, undefined> {
  const { signal, model } = editing;
  using held = new HeldTensors();
  const pixels = await groupPixels(group, number, editor, held, editing);
  for (const [index, frame] of group.entries()) {
    // Frame by frame to bytes: what reads and writes files gets its turn in between.
    await breathe(signal);
    const rgb = onOneThread(() => finished(frame, index, pixels, model.size));
    if (frame.rgb !== frame.source) freeBytes(frame.rgb); // of the edit before, which nobody else has
    yield { ...frame, rgb, isEdited: true };
  }
}

/** What the model makes of a window's new frames, in its own size. */
interface GroupPixels {
  readonly edited: Pixels<"f 3 h w">;
  /** The frames there and back through the autoencoder, where their detail is wanted. */
  readonly reconstruction: Pixels<"f 3 h w"> | undefined;
}

/** The picture of a frame at its own size. */
function finished(
  { width, height, rgb: source }: EditedFrame,
  index: number,
  pixels: GroupPixels,
  size: number,
): Uint8Array {
  using _ = tensorScope();
  const square = (of: Pixels<"f 3 h w">) => toPackedBytes(of.narrow(0, index, 1));
  const edited = square(pixels.edited);
  if (!pixels.reconstruction) return bytesOf(unfitted(edited, { size, width, height }));
  const reconstruction = square(pixels.reconstruction);
  return keepDetail({ source, width, height, size, edited, reconstruction });
}

async function groupPixels(
  group: readonly EditedFrame[],
  number: number,
  editor: WindowEditor,
  held: HeldTensors,
  editing: FrameEditing,
): Promise<GroupPixels> {
  const { model, settings, signal } = editing;
  const { input, edited } = await groupLatents(group, number, editor, held, editing);
  await breathe(signal);
  const pictures = held.make(() => model.decode(edited));
  if (settings.detail === "off") return { edited: pictures, reconstruction: undefined };
  await breathe(signal);
  return { edited: pictures, reconstruction: held.make(() => model.decode(input)) };
}

/** The latents of a window's new frames: those of the store, or edited now and put there. */
async function groupLatents(
  group: readonly EditedFrame[],
  number: number,
  editor: WindowEditor,
  held: HeldTensors,
  { model, settings, signal, onStep, store, onRestored }: FrameEditing,
): Promise<WindowLatents> {
  await breathe(signal);
  const stored = store ? held.make(() => store.load(number)) : undefined;
  if (stored) {
    onRestored?.(restoredWork(editor.restore(stored, held), settings));
    return stored;
  }
  const { size } = model;
  const squares = group.map(({ rgb, width, height }) => fitFrame(rgb, width, height, size));
  const input = held.make(() => model.encode(onOneThread(() => toPixels(squares, size, size))));
  for (const [index, square] of squares.entries()) {
    if (square !== group[index]!.rgb) freeBytes(square);
  }
  const edited = await editor.edit(input, held, { signal, onStep });
  store?.save(number, { input, edited });
  return { input, edited };
}

/** The frames that a window would have sent through a denoiser, as `totalWork` counts them. */
function restoredWork({ start, known, length }: WindowPlace, { method }: ResolvedSettings): number {
  const isFirst = start + known === 0 && isTogether(method) && length > 1;
  return isFirst ? length + 1 : length;
}
