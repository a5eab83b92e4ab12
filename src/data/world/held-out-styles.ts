import { softLines } from "./styles-drawn.ts";
import type { Transform } from "./styles.ts";
import type { Task } from "./tasks.ts";

/** Styles that no scene of the world has, so that nothing trained on it has seen them: for adapters of their own. */
export const HELD_OUT_STYLES = ["line-art"] as const;
/** The name of a style that no scene has. */
export type HeldOutStyle = (typeof HELD_OUT_STYLES)[number];

/** The tasks whose right result is still in the style: the others would have to take it off. */
export const STYLED_TASKS = [
  "background",
  "object",
  "add",
  "remove",
  "texture",
] as const satisfies readonly Task[];

/** Bold black contours on pale flat fills, whose colours can still be told. */
const lineArt: Transform = (rgb, size) => {
  const { line } = softLines(rgb, size);
  for (let i = 0, j = 0; i < line.length; i++, j += 3) {
    const ink = Math.min(1, Math.max(0, (line[i]! - 0.25) / 0.2));
    for (let c = j; c < j + 3; c++) rgb[c] = (1 - ink) * (148 + 0.42 * rgb[c]!) + ink * 12;
  }
  return rgb;
};

/** What each does to the whole frame. */
const TRANSFORMS: Readonly<Record<HeldOutStyle, Transform>> = { "line-art": lineArt };

/** A drawn frame in a held-out style; writes over it. */
export function restyled(rgb: Uint8Array, size: number, style: HeldOutStyle): Uint8Array {
  return TRANSFORMS[style](rgb, size);
}
