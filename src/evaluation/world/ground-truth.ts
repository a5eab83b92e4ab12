import { editedScene } from "../../data/world/edited-scene.ts";
import type { WorldEdit } from "../../data/world/edits.ts";
import { renderClip, renderFrame } from "../../data/world/render.ts";

/**
 * The edited video itself: `frames` frames of `size × size × 3` RGB bytes.
 *
 * This file is the only access to the truth of the test split. No training path imports it.
 */
export function truthClip({ scene, edit }: WorldEdit, frames: number, size: number): Uint8Array[] {
  return renderClip(editedScene(scene, edit), frames, size);
}

/** One frame of the edited video, as `truthClip` draws it. */
export function truthFrame({ scene, edit }: WorldEdit, frame: number, size: number): Uint8Array {
  return renderFrame(editedScene(scene, edit), frame, size);
}
