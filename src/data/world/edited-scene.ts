import { invariant } from "../../engine/errors.ts";
import { type Edit, type Place, PLACE_CENTRES } from "./edit.ts";
import { describeOutcome } from "./outcome.ts";
import type { Scene, SceneObject } from "./scene.ts";

/** Width of an object that an edit adds, in frame widths. */
const ADDED_SCALE = 0.3;

/**
 * The scene after an edit: the ground truth of the edited video.
 *
 * The only place that applies an edit to a scene. Evaluation may draw clips of it; training sees it
 * through `renderTriplet` alone, one frame at a time and never of the test split.
 */
export function editedScene(scene: Scene, edit: Edit): Scene {
  const { objects, background, style } = describeOutcome(scene, edit);
  const placed = objects.map((look): SceneObject => {
    const before = scene.objects.find(({ id }) => id === look.id);
    if (before !== undefined) return { ...before, ...look };
    const [x, y] = PLACE_CENTRES[placeOf(edit)];
    return { ...look, x, y, scale: ADDED_SCALE };
  });
  return { ...scene, objects: placed, background, style };
}

function placeOf(edit: Edit): Place {
  const parts = edit.type === "both" ? [edit.first, edit.second] : [edit];
  const addition = parts.find((part) => part.type === "add-object");
  invariant(addition !== undefined, "an object has no place and no edit added it");
  return addition.place;
}
