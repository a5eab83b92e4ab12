/** Frames of a clip that single pictures are taken from. */
export const FRAME_SPAN = 32;

/** The frame number that picture `index` shows of its scene. */
export function frameOf(index: number): number {
  return Math.imul(index, 0x9e3779b1) >>> 27;
}
