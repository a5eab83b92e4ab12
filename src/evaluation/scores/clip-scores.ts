import { changedRegion } from "../../data/changed-region.ts";
import { toPixels, unitRange } from "../../data/pixels.ts";
import { psnr } from "../../data/psnr.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { flickerError } from "./flicker.ts";
import { outcome, STEADY_FLICKER, succeedsThroughout, type Outcome } from "./success.ts";

/** Every figure of one edited clip. */
export interface ClipScores extends Outcome {
  /** Null for a single frame. */
  readonly flicker: number | null;
  /**
   * Whether the edit succeeds in every window of frames, and flickers at most `STEADY_FLICKER` times as much as the
   * truth, encoded and decoded; null for a single frame.
   */
  readonly steady: boolean | null;
  /** PSNR to the truth in dB: of the whole clip, of the changed region, and outside it. */
  readonly psnr: number;
  readonly psnrChanged: number | null;
  readonly psnrKept: number | null;
}

/** The frames of one edit, each `size × size × 3` RGB bytes. */
export interface ClipFrames {
  readonly input: readonly Uint8Array[];
  readonly truth: readonly Uint8Array[];
  readonly output: readonly Uint8Array[];
}

/** What a clip is measured with. */
export interface ClipMeasure {
  /** Side of a frame, in pixels. */
  readonly size: number;
  /** Frames of which each run has to succeed by itself. */
  readonly window: number;
  /** The truth, encoded and decoded: what no editor of this model can do better than. */
  readonly reconstruction: readonly Uint8Array[];
}

/** Scores what a viewer gets: eight-bit frames, as a lossless file would hold them. */
export function clipScores(
  { input, truth, output }: ClipFrames,
  { size, window, reconstruction }: ClipMeasure,
): ClipScores {
  using _ = tensorScope();
  const unit = (frames: readonly Uint8Array[]): Float<"f 3 h w"> =>
    unitRange(toPixels(frames, size, size));
  const before = unit(input);
  const right = unit(truth);
  const after = unit(output);
  const changed = changedRegion(before, right);
  const judged = { input: before, truth: right, output: after };
  const isClip = truth.length > 1;
  const flicker = isClip ? flickerError(after, right) : null;
  const limit = isClip ? STEADY_FLICKER * flickerError(unit(reconstruction), right) : null;
  return {
    ...outcome(judged),
    flicker,
    steady:
      flicker === null || limit === null
        ? null
        : flicker <= limit && succeedsThroughout(judged, window),
    psnr: psnr(after, right),
    psnrChanged: psnr(after, right, changed),
    psnrKept: psnr(after, right, changed.mul(-1).add(1)),
  };
}
