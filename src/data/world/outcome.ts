import type { Edit } from "./edit.ts";
import type { Description, ObjectLook } from "./scene.ts";

/**
 * What can be said of a scene once it is edited, for its caption.
 *
 * It knows no places: nothing can be drawn from it.
 */
export function describeOutcome(before: Description, edit: Edit): Description {
  const { objects, background, style } = before;
  const changed = (id: number, change: (look: ObjectLook) => Partial<ObjectLook>): Description => ({
    objects: objects.map((look) => (look.id === id ? { ...look, ...change(look) } : look)),
    background,
    style,
  });
  switch (edit.type) {
    case "both":
      return describeOutcome(describeOutcome(before, edit.first), edit.second);
    case "style":
      return { objects, background, style: edit.style };
    case "background":
      return { objects, background: edit.background, style };
    case "replace":
      return changed(edit.object, ({ colour }) => ({
        kind: edit.kind,
        colour: edit.colour ?? colour,
      }));
    case "repaint":
      return changed(edit.object, ({ colour, texture }) => ({
        colour: edit.colour ?? colour,
        texture: edit.texture ?? texture,
      }));
    case "add-accessory":
      return changed(edit.object, ({ accessories }) => ({
        accessories: [...accessories, edit.accessory],
      }));
    case "remove-accessory":
      return changed(edit.object, ({ accessories }) => ({
        accessories: accessories.filter((accessory) => accessory !== edit.accessory),
      }));
    case "add-object":
      return { objects: [...objects, edit.look], background, style };
    case "remove-object":
      return { objects: objects.filter(({ id }) => id !== edit.object), background, style };
  }
}
