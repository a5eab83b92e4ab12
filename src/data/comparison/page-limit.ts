import { UserError } from "../../engine/errors.ts";
import { planTiles, type Size } from "./tiles.ts";

/**
 * The largest sheet of three pictures in a video: what every browser's decoder takes, in hardware or not (H.264's level 5.1,
 * Windows' own decoder). Pictures up to 1920 × 1080 fit as they are, upright or not.
 */
const VIDEO_SHEET: Size = { width: 4096, height: 2304 };
/** The largest sheet of a single picture, which is no video: 67 million pixels, as a browser holds them 268 MB. */
const PICTURE_SHEET: Size = { width: 8192, height: 8192 };

/**
 * Pixels of all frames of a page together: 482 frames of 1920 × 1080, 3814 of 512 × 512.
 *
 * At `BITS_PER_PIXEL` they are 250 MB, a third more as text. A page is read and decoded as a whole before it shows anything,
 * so a browser holds a multiple of that.
 */
const MOST_PIXELS = 1e9;
/** What the video of a page has at most for a pixel of its input: `good` H.264 of input, result and difference mostly needs less. */
export const BITS_PER_PIXEL = 2;

/** How the pictures of a clip, or a single one, lie in a page. */
export function pagePlan(size: Size, isVideo: boolean) {
  return planTiles(size, isVideo ? VIDEO_SHEET : PICTURE_SHEET);
}

/** How many frames of `size` a page can hold. */
export function mostFrames(size: Size): number {
  const { tile } = pagePlan(size, true);
  return Math.max(1, Math.floor(MOST_PIXELS / (tile.width * tile.height)));
}

/** Throws a UserError where a page cannot hold so many frames. */
export function requirePageable(path: string, frames: number, size: Size): void {
  const most = mostFrames(size);
  if (frames <= most) return;
  throw new UserError(
    `${path}: a page holds at most ${most} frames of ${size.width} × ${size.height}, and ${frames} are edited: ` +
      `compare in a video (.mp4), or edit fewer frames at a time, such as 0..${most}`,
  );
}
