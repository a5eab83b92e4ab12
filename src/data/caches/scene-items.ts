import { caption } from "../world/language.ts";
import { WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";
import { consecutiveFrames, type DrawItem } from "./drawn-item.ts";

/** Frames of unedited scenes; their words are a caption. */
export interface SceneKind {
  readonly split: Split;
  /** Consecutive frames of each. */
  readonly frames: number;
}

/** The consecutive frames of a scene, with what is said of them. */
export const draw: DrawItem<SceneKind> = ({ split, frames }, index, size) => {
  const scene = sampleScene(split, index);
  return {
    frames: consecutiveFrames(scene, index, frames, size),
    text: caption(scene, new WorldRng("clip caption", split, index), split),
  };
};
