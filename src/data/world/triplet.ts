import { ConfigError } from "../../engine/errors.ts";
import { editedScene } from "./edited-scene.ts";
import type { WorldEdit } from "./edits.ts";
import { renderFrame } from "./render.ts";
import type { Split } from "./splits.ts";

/**
 * One frame before and after an edit: `size × size × 3` bytes each, to train an image editor on.
 *
 * The test split has no triplets: its truth belongs to the evaluation.
 */
export function renderTriplet(
  request: WorldEdit,
  split: Exclude<Split, "test">,
  frame: number,
  size: number,
): { before: Uint8Array; after: Uint8Array } {
  if ((split as Split) === "test" || request.split !== split) {
    throw new ConfigError(
      `triplets are drawn from the train and validation splits, for a request of that same split; ` +
        `got a request of ${request.split} for ${split}: sample the request from the split you train on`,
    );
  }
  return {
    before: renderFrame(request.scene, frame, size),
    after: renderFrame(editedScene(request.scene, request.edit), frame, size),
  };
}
