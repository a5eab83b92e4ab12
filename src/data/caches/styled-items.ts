import type { WorldEdit } from "../world/edits.ts";
import { restyled, STYLED_TASKS, type HeldOutStyle } from "../world/held-out-styles.ts";
import { caption } from "../world/language.ts";
import { renderFrame } from "../world/render.ts";
import { WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";
import type { DrawItem } from "./drawn-item.ts";
import { frameOf } from "./frame-number.ts";
import { plainRequestAt } from "./plain-requests.ts";

/** Single pictures in a held-out style; their words are a caption that does not name it. */
export interface StyledKind {
  readonly split: Split;
  readonly style: HeldOutStyle;
}

/** Request `index` for editing in a held-out style: its scene is plain, and its task leaves the style on. */
export function styledRequestAt(split: Split, index: number): WorldEdit {
  return plainRequestAt(split, index, STYLED_TASKS, (request) => request);
}

/** One frame of a scene in a held-out style, with its caption. */
export const draw: DrawItem<StyledKind> = ({ split, style }, index, size) => {
  const scene = { ...sampleScene(split, index), style: "plain" as const };
  return {
    frames: [restyled(renderFrame(scene, frameOf(index), size), size, style)],
    text: caption(scene, new WorldRng("styled caption", split, index), split),
  };
};
