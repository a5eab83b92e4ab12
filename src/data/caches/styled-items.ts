import { sampleEdit, type EditRequest } from "../world/edits.ts";
import { restyled, STYLED_TASKS, type HeldOutStyle } from "../world/held-out-styles.ts";
import { caption } from "../world/language.ts";
import { renderFrame } from "../world/render.ts";
import { Rng as WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";
import type { DrawItem } from "./drawn-item.ts";
import { frameOf } from "./frame-number.ts";

/** Single pictures in a held-out style; their words are a caption that does not name it. */
export interface StyledKind {
  readonly split: Split;
  readonly style: HeldOutStyle;
}

/** Requests that are tried for one whose scene has no style of its own. */
const ATTEMPTS = 64;

/** Request `index` for editing in a held-out style: its scene is plain, and its task leaves the style on. */
export function styledRequestAt(split: Split, index: number): EditRequest {
  const task = STYLED_TASKS[index % STYLED_TASKS.length]!;
  const first = Math.floor(index / STYLED_TASKS.length) * ATTEMPTS;
  const requests = Array.from({ length: ATTEMPTS }, (_, attempt) => first + attempt);
  for (const number of requests) {
    const request = sampleEdit(split, number, task);
    if (request.scene.style === "plain") return request;
  }
  throw new RangeError(`expected a plain scene among ${ATTEMPTS} of task ${task}, found none`);
}

export const draw: DrawItem<StyledKind> = ({ split, style }, index, size) => {
  const scene = { ...sampleScene(split, index), style: "plain" as const };
  return {
    frames: [restyled(renderFrame(scene, frameOf(index), size), size, style)],
    text: caption(scene, new WorldRng("styled caption", split, index), split),
  };
};
