import {
  byteDifference,
  bytesAbove,
  bytesOf,
  byteSum,
  byteTensor,
  largestChannel,
} from "../../data/byte-pictures.ts";
import { CHANGED_ABOVE } from "../../data/comparison/difference.ts";
import { heatOf } from "../../data/comparison/heat.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import type { Changes } from "./changes.ts";

/** The bytes of a frame's source and of its result, for the engine to count in. */
interface Pair {
  readonly source: Tensor;
  readonly result: Tensor;
}

/** Measures what changes, frame by frame; holds copies of the last frame and, for the map, one number a pixel. */
export class ChangeMeter implements Disposable {
  #frames = 0;
  #difference = 0;
  #changed = 0;
  #steps = 0;
  readonly #flicker = { source: 0, result: 0 };
  #last: (Pair & { readonly held: HeldTensors }) | undefined;
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
    const held = new HeldTensors();
    const [before, after] = held.make(() => [source, rgb].map(byteTensor));
    const pair = { source: before!, result: after! };
    this.#frames++;
    this.#count(pair);
    this[Symbol.dispose]();
    this.#last = { ...pair, held };
  }

  #count({ source, result }: Pair): void {
    using _ = tensorScope();
    const difference = byteDifference(source, result);
    const largest = largestChannel(difference);
    if (this.#map) addBytes(this.#map.sums, largest);
    this.#difference += byteSum(difference) / source.size;
    this.#changed += (3 * byteSum(bytesAbove(largest, CHANGED_ABOVE))) / source.size;
    if (!this.#last) return;
    this.#steps++;
    this.#flicker.source += byteSum(byteDifference(this.#last.source, source)) / source.size;
    this.#flicker.result += byteSum(byteDifference(this.#last.result, result)) / source.size;
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

  /** Frees the last frame; what was measured stays. */
  [Symbol.dispose](): void {
    this.#last?.held[Symbol.dispose]();
    this.#last = undefined;
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
      const colour = heatOf(sum / this.#frames, 0);
      for (let channel = 0; channel < 3; channel++)
        rgb[pixel * 3 + channel] = Math.round(255 * colour[channel]!);
    });
    return { rgb, width, height };
  }
}

function addBytes(sums: Float64Array, bytes: Tensor): void {
  const values = bytesOf(bytes);
  for (let pixel = 0; pixel < sums.length; pixel++) sums[pixel]! += values[pixel]!;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
