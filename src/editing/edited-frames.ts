import { fitFrame, unfitFrame } from "../data/video/fit.ts";
import type { DecodedFrame } from "../data/video/reader.ts";
import { toBytes, toPixels } from "../data/pixels.ts";
import { noGrad } from "../engine/autodiff.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Float } from "../engine/tensor.ts";
import { keepDetails } from "./detail.ts";
import { HeldTensors } from "./held-tensors.ts";
import type { EditingModel } from "./model.ts";
import type { ResolvedSettings } from "./settings.ts";
import { WindowEditor, type WindowEditOptions } from "./window-editor.ts";
import { inWindows } from "./windows.ts";

/** One picture of an edited video, with its source's index and timing. */
export interface EditedFrame extends DecodedFrame {
  /** The source's picture, of the same size. */
  readonly source: Uint8Array;
}

/** Who edits, and how. */
export interface FrameEditing extends WindowEditOptions {
  readonly model: EditingModel;
  readonly settings: ResolvedSettings;
}

/**
 * Edits frames as they come, one window at a time, and hands them out at their own size.
 *
 * Holds one window of frames and the latents of another, however long the clip is.
 */
export async function* editedFrames(
  frames: AsyncIterable<DecodedFrame>,
  { model, settings, signal, onStep }: FrameEditing,
): AsyncGenerator<EditedFrame, void, undefined> {
  using editor = new WindowEditor(model, settings);
  for await (const group of inWindows(frames, settings)) {
    signal?.throwIfAborted();
    const pictures = await editGroup(group, editor, { model, settings, signal, onStep });
    for (const [index, frame] of group.entries()) {
      yield { ...frame, rgb: pictures[index]!, source: frame.rgb };
    }
  }
}

async function editGroup(
  group: readonly DecodedFrame[],
  editor: WindowEditor,
  { model, settings, signal, onStep }: FrameEditing,
): Promise<Uint8Array[]> {
  const { size } = model;
  using held = new HeldTensors();
  const squares = group.map(({ rgb, width, height }) => fitFrame(rgb, width, height, size));
  const input = held.make(() => model.encode(toPixels(squares, size, size)));
  const latents = await editor.edit(input, held, { signal, onStep });
  const edited = decoded(model, latents);
  if (settings.detail === "off") {
    return group.map(({ width, height }, index) => unfitFrame(edited[index]!, size, width, height));
  }
  const sources = group.map(({ rgb: source, width, height }) => ({ source, width, height }));
  return keepDetails({ sources, size, edited, reconstructions: decoded(model, input) });
}

/** The pictures of latents, `size × size × 3` bytes each. */
function decoded(model: EditingModel, latents: Float<"f c h w">): Uint8Array[] {
  using _ = tensorScope();
  return noGrad(() => toBytes(model.decode(latents)));
}
