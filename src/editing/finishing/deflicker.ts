import { changeMask, REDRAWN_ABOVE } from "./change-mask.ts";
import type { SquarePicture } from "./square.ts";

/** How far the filter looks, and what it takes for the same. */
export interface DeflickerOptions {
  /** Frames before and after a frame that it may be mixed with. */
  readonly reach: number;
  /** Mean difference of a pixel's channels between sources, 0–1, at which another frame counts `1/e`. */
  readonly sourceScale: number;
  /** The same between edits. */
  readonly editScale: number;
}

/** Chosen on validation clips; src/editing/README.md has the figures. */
export const DEFLICKER: DeflickerOptions = { reach: 4, sourceScale: 0.06, editScale: 0.1 };

/** τ as a share of the reach. */
const DECAY = 0.75;
/** Weights below it are none. */
const LEAST_WEIGHT = 1 / 1024;

/** A frame among those that it may be mixed with, in order. */
export interface FrameInTime {
  readonly pictures: readonly SquarePicture[];
  /** Its index among them. */
  readonly at: number;
}

/** The frames around each frame of a clip, which comes in groups as its windows are finished. */
export class FramesInTime {
  readonly #reach: number;
  /** Frames that some frame to come may see. */
  #pictures: readonly SquarePicture[] = [];
  /** How many of them have been handed out, at the start. */
  #done = 0;

  constructor({ reach }: Pick<DeflickerOptions, "reach"> = DEFLICKER) {
    this.#reach = reach;
  }

  /** Takes the next frames; hands out, in order, those behind which as many have come as they may see. */
  next(group: readonly SquarePicture[]): FrameInTime[] {
    this.#pictures = [...this.#pictures, ...group];
    return this.#upTo(Math.max(this.#done, this.#pictures.length - this.#reach));
  }

  /** The frames that are left when the clip has ended. */
  rest(): FrameInTime[] {
    return this.#upTo(this.#pictures.length);
  }

  #upTo(end: number): FrameInTime[] {
    const reach = this.#reach;
    const all = this.#pictures;
    const ready = all.slice(this.#done, end).map((_, index) => {
      const at = this.#done + index;
      const from = Math.max(0, at - reach);
      return { pictures: all.slice(from, at + reach + 1), at: at - from };
    });
    const first = Math.max(0, end - reach);
    this.#pictures = all.slice(first);
    this.#done = end - first;
    return ready;
  }
}

/**
 * A frame's edit without its flicker: what differs from frame to frame though neither source nor edit moves. RGB bytes,
 * `size × size × 3`.
 *
 * A bilateral filter over time (Tomasi and Manduchi 1998), which the source guides, too: each pixel becomes the mean of
 * itself and the pixels in its place in the frames around it, `Σₖ wₖ·(eₖ + (1 − m)·(r − rₖ)) / Σₖ wₖ`, with e the edit and r
 * the source. A frame k steps away counts `wₖ = exp(−k²/2τ²)·exp(−(|r − rₖ|/s)²)·exp(−(|e − eₖ|/d)²)`, with the two
 * scales s and d, so a place where something moves is left alone. Where the source still shows (the change mask m is 0)
 * the other frame is first brought to this one by what the source itself has changed, such as its light.
 *
 * Deviation: the paper leaves frames as they are drawn.
 */
export function deflickered(
  { pictures, at }: FrameInTime,
  size: number,
  { reach, sourceScale, editScale }: DeflickerOptions = DEFLICKER,
): Uint8Array {
  const own = pictures[at]!;
  if (pictures.every(isUnchanged)) return own.edited;
  const mask = changeMask(own.edited, own.source, size, REDRAWN_ABOVE);
  const [bySource, byEdit] = [weightsOf(sourceScale), weightsOf(editScale)];
  const sums = Float32Array.from(own.edited);
  const weights = new Float32Array(size * size).fill(1);
  for (const [index, other] of pictures.entries()) {
    if (index === at) continue;
    const nearness = Math.exp(-(((index - at) / (DECAY * reach)) ** 2) / 2);
    mix(own, other, { nearness, bySource, byEdit, mask }, { sums, weights });
  }
  return means(sums, weights);
}

function isUnchanged({ edited, source }: SquarePicture): boolean {
  return edited === source || Buffer.compare(edited, source) === 0;
}

/** Sums by the weights of their pixels, as bytes: three to a weight. */
function means(sums: Float32Array, weights: Float32Array): Uint8Array {
  const bytes = new Uint8ClampedArray(sums.length); // rounds and clips
  for (let pixel = 0, at = 0; pixel < weights.length; pixel++, at += 3) {
    const share = 1 / weights[pixel]!;
    bytes[at] = sums[at]! * share;
    bytes[at + 1] = sums[at + 1]! * share;
    bytes[at + 2] = sums[at + 2]! * share;
  }
  return new Uint8Array(bytes.buffer);
}

/** The weight of each sum of three channels' differences, 0–765. */
function weightsOf(scale: number): Float32Array {
  return Float32Array.from({ length: 3 * 255 + 1 }, (_, difference) => {
    const weight = Math.exp(-((difference / (3 * 255 * scale)) ** 2));
    return weight < LEAST_WEIGHT ? 0 : weight;
  });
}

/** How much another frame counts. */
interface Weighting {
  readonly nearness: number;
  readonly bySource: Float32Array;
  readonly byEdit: Float32Array;
  /** How much each pixel was changed, 0–255, in all three channels. */
  readonly mask: Uint8Array;
}

/** Adds another frame's pixels, as much of each as counts. */
function mix(
  own: SquarePicture,
  other: SquarePicture,
  { nearness, bySource, byEdit, mask }: Weighting,
  { sums, weights }: { readonly sums: Float32Array; readonly weights: Float32Array },
): void {
  const { edited: e, source: r } = own;
  const { edited: eOther, source: rOther } = other;
  for (let pixel = 0, at = 0; pixel < weights.length; pixel++, at += 3) {
    const red = r[at]! - rOther[at]!;
    const green = r[at + 1]! - rOther[at + 1]!;
    const blue = r[at + 2]! - rOther[at + 2]!;
    const moved = Math.abs(red) + Math.abs(green) + Math.abs(blue);
    const still = nearness * bySource[moved]!;
    if (still === 0) continue;
    const differs =
      Math.abs(e[at]! - eOther[at]!) +
      Math.abs(e[at + 1]! - eOther[at + 1]!) +
      Math.abs(e[at + 2]! - eOther[at + 2]!);
    const weight = still * byEdit[differs]!;
    if (weight === 0) continue;
    const shown = 1 - mask[at]! / 255;
    sums[at] = sums[at]! + weight * (eOther[at]! + shown * red);
    sums[at + 1] = sums[at + 1]! + weight * (eOther[at + 1]! + shown * green);
    sums[at + 2] = sums[at + 2]! + weight * (eOther[at + 2]! + shown * blue);
    weights[pixel] = weights[pixel]! + weight;
  }
}
