import { renderFrame } from "../world/render.ts";
import type { Scene } from "../world/scene.ts";
import { frameOf } from "./frame-number.ts";

/** What is drawn for one item of a cache: RGB bytes of its frames, and its words. */
export interface DrawnItem {
  readonly frames: readonly Uint8Array[];
  readonly text: unknown;
}

/**
 * Draws item `index` of `kind`, its pictures `size` pixels wide and high.
 *
 * Each item is a pure function of these, so any thread can draw it.
 */
export type DrawItem<Kind> = (kind: Kind, index: number, size: number) => DrawnItem;

/** Consecutive frames of a scene, from the one on that is drawn of scene `index` alone. */
export function consecutiveFrames(
  scene: Scene,
  index: number,
  count: number,
  size: number,
): Uint8Array[] {
  const start = frameOf(index);
  return Array.from({ length: count }, (_, f) => renderFrame(scene, start + f, size));
}
