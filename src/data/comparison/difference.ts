import { tensorScope } from "../../engine/scope.ts";
import { onOneThread } from "../../engine/settings.ts";
import {
  byteDifference,
  bytesAbove,
  bytesOf,
  byteSum,
  byteTensor,
  largestChannel,
} from "../byte-pictures.ts";

/** A pixel counts as changed where a channel differs by more than this, of 255: a tenth, as in the evaluation. */
export const CHANGED_ABOVE = 25;

/** How two pictures differ. */
export interface Difference {
  /** Each pixel's largest difference of a channel, 0–255, as grey packed RGB. */
  readonly grey: Uint8Array;
  /** Share of changed pixels, 0–1. */
  readonly changedShare: number;
}

/** How two pictures of one size differ, exactly, both packed RGB. */
export function differenceOf(before: Uint8Array, after: Uint8Array): Difference {
  return onOneThread(() => {
    using _ = tensorScope();
    const largest = largestChannel(byteDifference(byteTensor(before), byteTensor(after)));
    const changedShare = byteSum(bytesAbove(largest, CHANGED_ABOVE)) / largest.size;
    return { grey: greyRgb(bytesOf(largest)), changedShare };
  });
}

function greyRgb(levels: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(levels.length * 3);
  for (let pixel = 0, at = 0; pixel < levels.length; pixel++) {
    const level = levels[pixel]!;
    rgb[at++] = level;
    rgb[at++] = level;
    rgb[at++] = level;
  }
  return rgb;
}
