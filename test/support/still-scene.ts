import type { Camera, Motion, Scene, SceneObject } from "../../src/data/world/scene.ts";

/** How a thing moves that does not; of another type its amount is a tenth. */
export const STILL: Motion = { type: "still", period: 24, phase: 0, amount: 0.1, direction: 0 };

export const STILL_VIEW: Camera = { type: "still", period: 1, x: 0, y: 0, zoom: 0 };

/** A plain red box of 0.3 frame widths that stands in the middle, but for what `own` says. */
export function stillObject(own: Partial<SceneObject> = {}): SceneObject {
  return {
    id: 0,
    kind: "box",
    colour: "red",
    texture: "plain",
    size: "medium",
    accessories: [],
    motion: STILL,
    x: 0.5,
    y: 0.5,
    scale: 0.3,
    ...own,
  };
}

/** These objects before a studio's wall that stands, seen by a camera that stands. */
export function stillScene(objects: readonly SceneObject[], own: Partial<Scene> = {}): Scene {
  return { objects, background: "studio", style: "plain", drift: 0, camera: STILL_VIEW, ...own };
}
