import type { DecodedFrame } from "../../data/video/reader.ts";

/** One picture of an edited video, with its source's index and timing. */
export interface EditedFrame extends DecodedFrame {
  /** The source's picture, of the same size. */
  readonly source: Uint8Array;
  /** Whether it was given to the model; frames outside the span asked for are copied. */
  readonly isEdited: boolean;
}

/** A video as it is read: every frame its own source. */
export async function* untouched(
  frames: AsyncIterable<DecodedFrame>,
): AsyncGenerator<EditedFrame, void, undefined> {
  for await (const frame of frames) yield { ...frame, source: frame.rgb, isEdited: false };
}
