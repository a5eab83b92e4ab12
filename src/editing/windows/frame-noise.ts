import { atTemperature } from "../../diffusion/temperature.ts";
import { normal, Rng } from "../../engine/random.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { NoiseMode } from "../settings/settings.ts";

/** Which frames need noise, and of what shape. */
export interface FrameNoiseOptions {
  readonly seed: number;
  readonly mode: NoiseMode;
  /** From 0, no noise, to 1, the default. */
  readonly temperature?: number | undefined;
  /** Shape of one frame's latent, `[c, h, w]`. */
  readonly shape: readonly number[];
}

/**
 * The noise that frames `first` … `first + count − 1` of a clip are drawn from.
 *
 * A function of seed and frame index alone: a frame starts alike whatever window it falls into.
 */
export function frameNoise(
  first: number,
  count: number,
  { seed, mode, temperature, shape }: FrameNoiseOptions,
): Float<"f c h w"> {
  // Nothing of it would be left, and drawing takes time for every frame
  if (temperature === 0) return Tensor.zeros([count, ...shape]);
  const source = Rng.seed(seed).split("noise");
  if (mode === "shared") {
    const one = normal(source.split(0), shape);
    return atTemperature(Tensor.stack(Array<Tensor>(count).fill(one), 0), temperature);
  }
  const frames = Array.from({ length: count }, (_, offset) =>
    normal(source.split(first + offset), shape),
  );
  return atTemperature(Tensor.stack(frames, 0), temperature);
}
