import { z } from "zod";
import type { RgbImage } from "../data/image/rgb-image.ts";
import type { EditedFrame } from "./edited-frames.ts";
import type { ResolvedSettings } from "./settings.ts";

/** A pixel counts as changed where a channel differs by more than this, of 255: a tenth, as in the evaluation. */
const CHANGED_ABOVE = 25;

/** What an edit did to the frames that it was given, measured before they are encoded. Differences are of 255. */
export const Changes = z.strictObject({
  /** Frames edited. */
  frames: z.int().nonnegative(),
  /** Mean absolute difference over all pixels and channels. */
  meanDifference: z.number(),
  /** Share of pixels, 0–1, where a channel differs by more than 25. */
  changedShare: z.number(),
  /** Mean absolute difference from a frame to the next, of the source and of the result. */
  flicker: z.strictObject({ source: z.number(), result: z.number() }),
});
export type Changes = z.output<typeof Changes>;

/** Measures what changes, frame by frame; holds the last frame and one number a pixel. */
export class ChangeMeter {
  #frames = 0;
  #difference = 0;
  #changed = 0;
  #steps = 0;
  readonly #flicker = { source: 0, result: 0 };
  #last: EditedFrame | undefined;
  #map:
    | { readonly sums: Float64Array; readonly width: number; readonly height: number }
    | undefined;

  /** Takes the next frame; those that were only copied do not count. */
  add(frame: EditedFrame): void {
    if (!frame.isEdited) return;
    const { width, height, rgb, source } = frame;
    this.#map ??= { sums: new Float64Array(width * height), width, height };
    const { sum, changed } = addDifference(this.#map.sums, source, rgb);
    this.#frames++;
    this.#difference += sum / rgb.length;
    this.#changed += changed / (width * height);
    if (this.#last) {
      this.#steps++;
      this.#flicker.source += meanDifference(this.#last.source, source);
      this.#flicker.result += meanDifference(this.#last.rgb, rgb);
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
   * red and yellow to white (half the range and more). Undefined before the first frame.
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

/** Adds each pixel's largest difference to `sums`; returns the sum of all differences and how many pixels changed. */
function addDifference(
  sums: Float64Array,
  source: Uint8Array,
  rgb: Uint8Array,
): { sum: number; changed: number } {
  let [sum, changed] = [0, 0];
  for (let pixel = 0, at = 0; pixel < sums.length; pixel++, at += 3) {
    const red = Math.abs(rgb[at]! - source[at]!);
    const green = Math.abs(rgb[at + 1]! - source[at + 1]!);
    const blue = Math.abs(rgb[at + 2]! - source[at + 2]!);
    const largest = Math.max(red, green, blue);
    sum += red + green + blue;
    sums[pixel]! += largest;
    if (largest > CHANGED_ABOVE) changed++;
  }
  return { sum, changed };
}

function meanDifference(left: Uint8Array, right: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += Math.abs(left[at]! - right[at]!);
  return sum / left.length;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Shares of changed pixels below which an edit hardly shows, and above which it hardly keeps anything. */
const HARDLY_ANY = 0.005;
const NEARLY_ALL = 0.6;
/** How much more a result may flicker than its source, as a factor, and in any case, of 255. */
const STEADY_FACTOR = 2;
const STEADY_DIFFERENCE = 2;

/** Tasks that change some of the picture only. */
const LOCAL_TASKS: ReadonlySet<string> = new Set(["object", "add", "remove", "texture"]);

/** What to try where an edit did too little, too much, or flickers: one sentence each. */
export function changeHints(
  { frames, changedShare, flicker }: Changes,
  {
    task,
    further,
    strength,
    mask,
  }: Pick<ResolvedSettings, "task" | "further" | "strength" | "mask">,
): string[] {
  if (frames === 0) return [];
  const hints: string[] = [];
  if (changedShare < HARDLY_ANY) {
    const advice = strength === "bold" ? "another --seed or other words" : "--strength bold";
    hints.push(`almost nothing changed: try ${advice}`);
  }
  const isLocal = further.length === 0 && LOCAL_TASKS.has(task);
  if (isLocal && mask === "" && changedShare > NEARLY_ALL) {
    const advice = strength === "keep" ? "--mask" : "--strength keep, or --mask";
    hints.push(`nearly everything changed, more than "${task}" asks for: try ${advice}`);
  }
  const limit = Math.max(STEADY_FACTOR * flicker.source, flicker.source + STEADY_DIFFERENCE);
  if (flicker.result > limit) {
    hints.push("the result flickers more than its source: try --noise shared, or --strength keep");
  }
  return hints;
}
