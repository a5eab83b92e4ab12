import {
  byteDifference,
  bytesAbove,
  byteSum,
  byteTensor,
  largestChannel,
  meanByteDifference,
} from "../data/byte-pictures.ts";
import type { RgbImage } from "../data/image/rgb-image.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Changes } from "./changes.ts";
import type { EditedFrame } from "./edited-frame.ts";

/** A pixel counts as changed where a channel differs by more than this, of 255: a tenth, as in the evaluation. */
const CHANGED_ABOVE = 25;

/** Measures what changes, frame by frame; holds the last frame and, for the map, one number a pixel. */
export class ChangeMeter {
  #frames = 0;
  #difference = 0;
  #changed = 0;
  #steps = 0;
  readonly #flicker = { source: 0, result: 0 };
  #last: EditedFrame | undefined;
  readonly #withMap: boolean;
  #map:
    | { readonly sums: Float64Array; readonly width: number; readonly height: number }
    | undefined;

  /** Without a map it is cheaper. */
  constructor({ withMap = true }: { withMap?: boolean } = {}) {
    this.#withMap = withMap;
  }

  /** Takes the next frame; those that were only copied do not count. */
  add(frame: EditedFrame): void {
    if (!frame.isEdited) return;
    const { width, height, rgb, source } = frame;
    if (this.#withMap) this.#map ??= { sums: new Float64Array(width * height), width, height };
    const { mean, changed } = differenceOf(source, rgb, this.#map?.sums);
    this.#frames++;
    this.#difference += mean;
    this.#changed += changed;
    if (this.#last) {
      this.#steps++;
      this.#flicker.source += meanByteDifference(this.#last.source, source);
      this.#flicker.result += meanByteDifference(this.#last.rgb, rgb);
    }
    this.#last = frame;
  }

  /** The figures, to three decimals. */
  result(): Changes {
    const mean = (sum: number, count: number) => rounded(sum / Math.max(1, count));
    return {
      frames: this.#frames,
      meanDifference: mean(this.#difference, this.#frames),
      changedShare: mean(this.#changed, this.#frames),
      flicker: {
        source: mean(this.#flicker.source, this.#steps),
        result: mean(this.#flicker.result, this.#steps),
      },
    };
  }

  /**
   * Where the changes are: each pixel's largest channel difference, averaged over the frames, from black (none) by
   * red and yellow to white (half the range and more). Undefined before the first frame, and without a map.
   */
  map(): RgbImage | undefined {
    if (!this.#map) return undefined;
    const { sums, width, height } = this.#map;
    const rgb = new Uint8Array(sums.length * 3);
    sums.forEach((sum, pixel) => {
      const heat = Math.min(1, sum / this.#frames / 128) * 3;
      for (let channel = 0; channel < 3; channel++) {
        rgb[pixel * 3 + channel] = Math.round(255 * Math.min(1, Math.max(0, heat - channel)));
      }
    });
    return { rgb, width, height };
  }
}

/** The mean difference and the share of pixels that changed; adds each pixel's largest difference to `sums`. */
function differenceOf(
  source: Uint8Array,
  rgb: Uint8Array,
  sums: Float64Array | undefined,
): { mean: number; changed: number } {
  using _ = tensorScope();
  const [before, after] = [source, rgb].map((bytes) => byteTensor(bytes, [bytes.length]));
  const difference = byteDifference(before!, after!);
  const largest = largestChannel(difference);
  if (sums) {
    const values = new Uint8Array(largest.toBytes());
    for (let pixel = 0; pixel < sums.length; pixel++) sums[pixel]! += values[pixel]!;
  }
  const changed = byteSum(bytesAbove(largest, CHANGED_ABOVE));
  return { mean: byteSum(difference) / rgb.length, changed: (3 * changed) / rgb.length };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
