import { freeBytes } from "../../data/byte-pictures.ts";
import { toPackedBytes, toPixels } from "../../data/pixels.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { scoped } from "../../engine/scope.ts";
import { onOneThread } from "../../engine/settings.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import {
  type Drawn,
  type FinishableFrame,
  Finishing,
  wantsReconstruction,
} from "../finishing/finishing.ts";
import { fittedSquare, type SquarePicture } from "../finishing/square.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import type { EditingModel } from "../settings/model.ts";
import { isTogether, type ResolvedSettings } from "../settings/settings.ts";
import { breathe } from "../windows/denoising.ts";
import {
  WindowEditor,
  type WindowEditOptions,
  type WindowLatents,
} from "../windows/window-editor.ts";
import { inWindows, type WindowPlace } from "../windows/windows.ts";
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
 * Holds the frames of one window, a few of the one before it and its latents, however long the clip is.
 */
export async function* editedFrames(
  frames: AsyncIterable<EditedFrame>,
  editing: FrameEditing,
): AsyncGenerator<EditedFrame, void, undefined> {
  using editor = new WindowEditor(editing.model, editing.settings, editing.first);
  const finishing = new Finishing<EditedFrame>(editing.model, editing.settings);
  let number = 0;
  for await (const group of inWindows(frames, editing.settings)) {
    using held = new HeldTensors();
    const squares = onOneThread(() =>
      group.map((frame) => fittedSquare(frame, editing.model.size)),
    );
    const drawn = await drawnSquares({ squares, number: number++ }, editor, held, editing);
    const pictures: SquarePicture[] = [];
    for (const [index, square] of squares.entries()) {
      await breathe(editing.signal);
      pictures.push(onOneThread(() => finishing.square(square, drawn[index]!)));
    }
    yield* finishedFrames(finishing.next(group, pictures), editing);
  }
  yield* finishedFrames(finishing.rest(), editing);
}

async function* finishedFrames(
  frames: readonly FinishableFrame<EditedFrame>[],
  { signal }: FrameEditing,
): AsyncGenerator<EditedFrame, void, undefined> {
  for (const { frame, finish } of frames) {
    await breathe(signal);
    const rgb = onOneThread(finish);
    if (frame.rgb !== frame.source) freeBytes(frame.rgb); // of the edit before, which nobody else has
    yield { ...frame, rgb, isEdited: true };
  }
}

/** A window's new frames in the model's square. */
interface NewSquares {
  readonly squares: readonly Uint8Array[];
  /** The window's own, from 0. */
  readonly number: number;
}

async function drawnSquares(
  fresh: NewSquares,
  editor: WindowEditor,
  held: HeldTensors,
  editing: FrameEditing,
): Promise<Drawn[]> {
  const { model, settings, signal } = editing;
  const { input, edited: latents } = await latentsOf(fresh, editor, held, editing);
  await breathe(signal);
  const pictures = held.make(() => decoded(model, latents));
  if (!wantsReconstruction(settings)) {
    return pictures.map((edited) => ({ edited }));
  }
  await breathe(signal);
  const carried = held.make(() => decoded(model, input));
  return pictures.map((edited, index) => ({ edited, reconstruction: carried[index]! }));
}

/** The latents of a window's new frames: those of the store, or edited now and put there. */
async function latentsOf(
  { squares, number }: NewSquares,
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
  const input = held.make(() => model.encode(onOneThread(() => toPixels(squares, size, size))));
  const edited = await editor.edit(input, held, { signal, onStep });
  store?.save(number, { input, edited });
  return { input, edited };
}

/** The frames that a window would have sent through a denoiser, as `totalWork` counts them. */
function restoredWork({ start, known, length }: WindowPlace, { method }: ResolvedSettings): number {
  const isFirst = start + known === 0 && isTogether(method) && length > 1;
  return isFirst ? length + 1 : length;
}

/** The pictures of latents as bytes, one tensor a frame: a quarter of what they take as the model's pixels. */
function decoded(model: EditingModel, latents: Float<"f c h w">): Tensor[] {
  const pixels = model.decode(latents);
  return onOneThread(() =>
    Array.from({ length: pixels.shape[0] ?? 0 }, (_, index) =>
      scoped(() => toPackedBytes(pixels.narrow(0, index, 1))),
    ),
  );
}
