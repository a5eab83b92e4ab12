import { dims } from "../../engine/axes.ts";
import { ShapeError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, dispatch, type Float, type Pixels } from "../../engine/tensor.ts";
import type { AugmentationConfig } from "./critic-config.ts";

/** One draw per clip; a clip's frames share it. */
export interface Augmentation {
  readonly config: AugmentationConfig;
  /** Added to pixels. */
  readonly brightness: readonly number[];
  /** Factors on the distance from a pixel's grey. */
  readonly saturation: readonly number[];
  /** Factors on the distance from a frame's mean. */
  readonly contrast: readonly number[];
  /** Shifts down and right, as shares of the sides. */
  readonly shifts: readonly (readonly [down: number, right: number])[];
  /** Centres of what is cut out, as shares of the sides. */
  readonly centres: readonly (readonly [down: number, right: number])[];
}

/**
 * Draws what happens to `clips` clips: a function of `rng` and the clip's number alone.
 *
 * A draw is a value, so that the real clip, the student's clip and the input that a critic compares them with can
 * all be changed alike: a shifted edit of an input that is not shifted would betray nothing but the augmentation.
 */
export function drawAugmentation(
  rng: Rng,
  clips: number,
  config: AugmentationConfig,
): Augmentation {
  const rngs = Array.from({ length: clips }, (_, clip) => rng.split(clip));
  return augmentationFrom(rngs, config);
}

/** A draw for as many clips as there are sources, each from its own. */
export function augmentationFrom(rngs: readonly Rng[], config: AugmentationConfig): Augmentation {
  const around = (rng: Rng, purpose: string, reach: number): number =>
    reach * (2 * rng.split(purpose).uniform() - 1);
  const { colour, translation } = config;
  return {
    config,
    brightness: rngs.map((rng) => around(rng, "brightness", 0.5 * colour)),
    saturation: rngs.map((rng) => 1 + around(rng, "saturation", colour)),
    contrast: rngs.map((rng) => 1 + around(rng, "contrast", 0.5 * colour)),
    shifts: rngs.map((rng) => [
      around(rng, "down", translation),
      around(rng, "right", translation),
    ]),
    centres: rngs.map((rng) => [rng.split("row").uniform(), rng.split("column").uniform()]),
  };
}

/**
 * Differentiable augmentation (Zhao et al., 2020): colour, translation, cutout; frames of a clip change alike.
 *
 * `b` is the number of clips drawn; `f` is what is left. Zero strengths give the very same tensor.
 */
export function augment(
  pixels: Pixels<"(b f) 3 h w">,
  augmentation: Augmentation,
): Pixels<"(b f) 3 h w"> {
  const { entries } = dims(pixels, "entries 3 _ _");
  const { config, brightness } = augmentation;
  const frames = entries / brightness.length;
  if (!Number.isInteger(frames)) {
    throw new ShapeError(
      `expected a multiple of the ${brightness.length} clips that were drawn for, got ${entries} frames`,
    );
  }
  const coloured = config.colour > 0 ? recolour(pixels, augmentation, frames) : pixels;
  const moved = config.translation > 0 ? shift(coloured, augmentation.shifts, frames) : coloured;
  return config.cutout > 0 ? cut(moved, augmentation, frames) : moved;
}

/** One number per clip, repeated for its frames. */
function perFrame(values: readonly number[], frames: number, device: string): Float<"(b f) 1 1 1"> {
  const repeated = values.flatMap((value) => Array.from({ length: frames }, () => value));
  return Tensor.from(repeated, [repeated.length, 1, 1, 1]).toDevice(device);
}

function recolour(
  pixels: Pixels<"(b f) 3 h w">,
  { brightness, saturation, contrast }: Augmentation,
  frames: number,
): Pixels<"(b f) 3 h w"> {
  const { device } = pixels;
  const lit = pixels.add(perFrame(brightness, frames, device));
  const grey = lit.mean([1], { keepDim: true });
  const saturated = grey.add(lit.sub(grey).mul(perFrame(saturation, frames, device)));
  const mean = saturated.mean([1, 2, 3], { keepDim: true });
  return mean.add(saturated.sub(mean).mul(perFrame(contrast, frames, device)));
}

const NEAREST = 1;
const PAD_WITH_ZEROS = 0;

/** Moves pictures by whole pixels. */
function shift(
  pixels: Pixels<"(b f) 3 h w">,
  shifts: Augmentation["shifts"],
  frames: number,
): Pixels<"(b f) 3 h w"> {
  const { h, w } = dims(pixels, "_ 3 h w");
  // the grid spans [-1, 1]: one pixel is 2/w wide, and a picture moves right where it is read further left
  const rows = shifts.flatMap(([down, right]) => {
    const [x, y] = [(-2 * Math.round(right * w)) / w, (-2 * Math.round(down * h)) / h];
    return Array.from({ length: frames }, () => [1, 0, x, 0, 1, y]).flat();
  });
  const maps = Tensor.from(rows, [pixels.shape[0]!, 2, 3]).toDevice(pixels.device);
  const grid = dispatch("aten::affine_grid_generator", maps, pixels.shape, false);
  return dispatch("aten::grid_sampler", pixels, grid, NEAREST, PAD_WITH_ZEROS, false);
}

/** Lays a grey rectangle over pictures; at their edges it is cut off. */
function cut(
  pixels: Pixels<"(b f) 3 h w">,
  { centres, config }: Augmentation,
  frames: number,
): Pixels<"(b f) 3 h w"> {
  const { h, w } = dims(pixels, "_ 3 h w");
  const { device } = pixels;
  const isInside = (axis: 0 | 1, length: number): Tensor => {
    const middles = perFrame(
      centres.map((centre) => centre[axis] * length),
      frames,
      device,
    );
    const places = Tensor.arange(length, "float32", device).add(0.5);
    return places
      .sub(middles)
      .abs()
      .lt((config.cutout * length) / 2)
      .to("float32");
  };
  const rows: Float<"(b f) 1 h 1"> = isInside(0, h).transpose(2, 3);
  const columns: Float<"(b f) 1 1 w"> = isInside(1, w);
  return pixels.mul(rows.mul(columns).neg().add(1));
}
