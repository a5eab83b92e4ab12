import { changedRegion, regionMean } from "../../data/changed-region.ts";
import { dims } from "../../engine/axes.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";

/** Largest mean absolute error to the truth outside the changed region that counts as kept. */
export const KEPT_ERROR = 0.06;
/** Below this share of the frame the region outside the change is too small to judge: kept is given. */
export const LEAST_KEPT_SHARE = 0.01;
/** The edited region's error must be below this share of the input's own. */
export const EDITED_SHARE = 0.5;

/** One edit, values in [0, 1]: what came in, what is right, what came out. */
export interface JudgedClip {
  readonly input: Float<"f 3 h w">;
  readonly truth: Float<"f 3 h w">;
  readonly output: Float<"f 3 h w">;
}

/** Whether an edit worked, and the figures that say so. */
export interface Outcome {
  /** The changed region is less than half as wrong as the input was; given, where nothing changes. */
  readonly edited: boolean;
  /** The rest is right within `KEPT_ERROR`; given, where the rest is under `LEAST_KEPT_SHARE`. */
  readonly kept: boolean;
  /** Both. */
  readonly success: boolean;
  /** Share of the pixels that the edit changes. */
  readonly changedShare: number;
  /** Mean absolute error to the truth in the changed region; null where it is empty. */
  readonly changedError: number | null;
  /** The input's own error there. */
  readonly inputError: number | null;
  /** Mean absolute error to the truth outside it; null where there is no outside. */
  readonly keptError: number | null;
}

/** Flicker of an edit that counts as steady, in multiples of that of the truth, encoded and decoded. */
export const STEADY_FLICKER = 1.5;

/**
 * Judges a clip, or a single frame, as one edit.
 *
 * Errors and pixels are summed over all frames first: each frame counts by how much of it changes, and
 * one without any change counts nothing. So one sentence is decided once for a clip, not per frame.
 */
export function outcome({ input, truth, output }: JudgedClip): Outcome {
  using _ = tensorScope();
  const changed = changedRegion(input, truth);
  const rest = changed.mul(-1).add(1);
  const error = output.sub(truth).abs();
  const { f, h, w } = dims(truth, "f 3 h w");
  // Sums of ones are exact; float32 means of them are not.
  const keptShare = rest.sum().item() / (f * h * w);
  const changedError = regionMean(error, changed);
  const inputError = regionMean(input.sub(truth).abs(), changed);
  const keptError = regionMean(error, rest);
  const edited =
    changedError === null || inputError === null || changedError < EDITED_SHARE * inputError;
  const kept = keptError === null || keptShare < LEAST_KEPT_SHARE || keptError < KEPT_ERROR;
  const changedShare = 1 - keptShare;
  return {
    edited,
    kept,
    success: edited && kept,
    changedShare,
    changedError,
    inputError,
    keptError,
  };
}

/** Whether the edit is a success in every run of `window` frames; the last run has those that are left. */
export function succeedsThroughout({ input, truth, output }: JudgedClip, window: number): boolean {
  using _ = tensorScope();
  const { f } = dims(truth, "f 3 _ _");
  const starts = Array.from({ length: Math.ceil(f / window) }, (__, run) => run * window);
  return starts.every((start) => {
    const run = (clip: Float<"f 3 h w">): Float<"f 3 h w"> =>
      clip.narrow(0, start, Math.min(window, f - start));
    return outcome({ input: run(input), truth: run(truth), output: run(output) }).success;
  });
}
