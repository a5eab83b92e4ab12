import { tensorScope } from "../engine/scope.ts";
import type { Float } from "../engine/tensor.ts";
import { regionMean } from "./changed-region.ts";

/** What equal pictures get: JSON has no infinity, and eight bits reach 48 dB by rounding alone. */
export const HIGHEST_PSNR = 100;

/** Peak signal-to-noise ratio in dB of a mean squared error of values in [0, 1]. */
export function decibels(meanSquaredError: number): number {
  return Math.min(HIGHEST_PSNR, 10 * Math.log10(1 / meanSquaredError));
}

/** PSNR of a clip to the truth in dB, values in [0, 1], over the clip or a region; null where that is empty. */
export function psnr(output: Float<"f 3 h w">, truth: Float<"f 3 h w">): number;
export function psnr(
  output: Float<"f 3 h w">,
  truth: Float<"f 3 h w">,
  region: Float<"f 1 h w">,
): number | null;
export function psnr(
  output: Float<"f 3 h w">,
  truth: Float<"f 3 h w">,
  region?: Float<"f 1 h w">,
): number | null {
  using _ = tensorScope();
  const squared = output.sub(truth).square();
  if (region === undefined) return decibels(squared.mean().item());
  const error = regionMean(squared, region);
  return error === null ? null : decibels(error);
}

/** PSNR of every frame by itself, in dB. */
export function framePsnrs(output: Float<"f 3 h w">, truth: Float<"f 3 h w">): number[] {
  using _ = tensorScope();
  const errors = output.sub(truth).square().mean([1, 2, 3]).toFloat32Array();
  return Array.from(errors, decibels);
}
