import { toPixels } from "../data/pixels.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Float } from "../engine/tensor.ts";
import { flickerError } from "./flicker.ts";
import { psnr } from "./psnr.ts";
import { changedRegion, outcome, type Outcome } from "./success.ts";
import { unitRange } from "./unit-range.ts";

/** Every figure of one edited clip. */
export interface ClipScores extends Outcome {
  /** Null for a single frame. */
  readonly flicker: number | null;
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

/** Scores what a viewer gets: eight-bit frames, as a lossless file would hold them. */
export function clipScores({ input, truth, output }: ClipFrames, size: number): ClipScores {
  using _ = tensorScope();
  const unit = (frames: readonly Uint8Array[]): Float<"f 3 h w"> =>
    unitRange(toPixels(frames, size, size));
  const before = unit(input);
  const right = unit(truth);
  const after = unit(output);
  const changed = changedRegion(before, right);
  return {
    ...outcome({ input: before, truth: right, output: after }),
    flicker: truth.length < 2 ? null : flickerError(after, right),
    psnr: psnr(after, right),
    psnrChanged: psnr(after, right, changed),
    psnrKept: psnr(after, right, changed.mul(-1).add(1)),
  };
}
