import { normal, type Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Int } from "../../engine/tensor.ts";
import { targetFor } from "../../diffusion/prediction.ts";
import type { Schedule } from "../../diffusion/schedule.ts";

/** A clean batch, noised: what a network is shown, and what it should answer. */
export interface NoisedBatch {
  readonly xt: Float<"b ...">;
  /** Time labels, float32. */
  readonly labels: Float<"b">;
  /** The velocity `v = α·ε − σ·x0`. */
  readonly target: Float<"b ...">;
}

/** Which times a batch is noised to. */
export interface TimeOptions {
  /** Consecutive entries that share a time: the frames of a clip. */
  readonly group?: number;
  /**
   * How much more often late times are shown: their density grows as `t^(bias − 1)`.
   *
   * Deviation: the paper does not say how times are drawn. In short runs a bias above one spends more of them where
   * an edit's layout is decided.
   */
  readonly bias?: number;
  /** Share of the groups whose entries have one noise in common; default 0. */
  readonly sharedNoise?: number;
}

/**
 * Integer times for a batch, spread evenly over the schedule: one at random from each of `count` equally likely bins.
 *
 * The times have the density that independent draws would have, with less variance.
 */
export function spreadTimes(rng: Rng, count: number, steps: number, bias = 1): number[] {
  const within = rng.uniforms(count);
  return Array.from(within, (u, bin) => {
    const share = ((bin + u) / count) ** (1 / bias);
    return Math.min(steps - 1, Math.floor(share * steps));
  });
}

/** Noises `x0` to times spread over the schedule. */
export function noiseBatch(
  x0: Float<"b ...">,
  schedule: Schedule,
  rng: Rng,
  { group = 1, bias = 1, sharedNoise = 0 }: TimeOptions = {},
): NoisedBatch {
  const count = x0.shape[0]! / group;
  const drawn = spreadTimes(rng.split("time"), count, schedule.steps, bias);
  const times = drawn.flatMap((time) => Array.from({ length: group }, () => time));
  const t: Int<"b"> = Tensor.from(times, [times.length], "int64");
  const noise = groupNoise(rng.split("noise"), x0.shape, { group, sharedNoise });
  return {
    xt: schedule.addNoise(x0, noise, t),
    labels: t.to("float32"),
    target: targetFor("v", { x0, noise }, t, schedule),
  };
}

/** Normal noise of `shape`; a share of the groups repeats that of its first entry. */
function groupNoise(
  rng: Rng,
  shape: readonly number[],
  { group, sharedNoise }: Required<Pick<TimeOptions, "group" | "sharedNoise">>,
): Float<"b ..."> {
  const noise = normal(rng, shape);
  if (sharedNoise === 0) return noise;
  const [entries = 0, ...rest] = shape;
  const drawn = rng.split("shared").uniforms(entries / group);
  const isShared = Float32Array.from(drawn, (u) => (u < sharedNoise ? 1 : 0));
  const share = Tensor.from(isShared, [entries / group, 1, ...rest.map(() => 1)]);
  const groups = noise.reshape([entries / group, group, ...rest]);
  const own = groups.mul(share.mul(-1).add(1));
  return groups.narrow(1, 0, 1).mul(share).add(own).reshape(shape);
}

/** Mean squared error of the predicted velocity; `weights` of mean one, broadcast over channels, say what counts how much. */
export function velocityLoss(
  output: Float<"b ...">,
  { target }: NoisedBatch,
  weights?: Float<"b 1 h w">,
): Float<""> {
  return weightedMean(output.to("float32").sub(target).square(), weights);
}

/** The mean of `errors`; `weights` as in `velocityLoss`. */
export function weightedMean(errors: Float<"b ...">, weights?: Float<"b 1 h w">): Float<""> {
  return (weights ? errors.mul(weights) : errors).mean();
}

/** A latent that an edit moves by this much, where latents have a deviation of one, counts as kept by 1/e. */
const KEPT_WITHIN = 0.35;

/** How much more the places of a picture count that an edit changes, and those that it keeps. */
export interface PlaceWeights {
  readonly changeWeight: number;
  readonly keptWeight: number;
  /** Most that a place counts, in means of its picture's places. */
  readonly largestShare: number;
}

/**
 * How much each place counts: `1 + changeWeight·d/mean(d) + keptWeight·k/mean(k)`, scaled to a mean of one for every picture.
 *
 * `d` is the distance between `edited` and `input` at that place and `k = exp(−(d/0.35)²)` how far the place is kept; each counts
 * at most `largestShare` times its mean. Deviation: the paper's loss counts all places alike; on small changes a short training
 * then learns to leave everything as it is, and where nearly all of a picture changes, to let the little that is kept fade.
 */
export function placeWeights(
  edited: Float<"b c h w">,
  input: Float<"b c h w">,
  { changeWeight, keptWeight, largestShare }: PlaceWeights,
): Float<"b 1 h w"> {
  const d = edited.sub(input).square().mean([1], { keepDim: true }).sqrt();
  const kept = d.div(KEPT_WITHIN).square().mul(-1).exp();
  const change = shares(d, largestShare).mul(changeWeight);
  const raw = shares(kept, largestShare).mul(keptWeight).add(change).add(1);
  return raw.div(raw.mean([1, 2, 3], { keepDim: true }));
}

/** Each place by the mean of its picture, at most `largest`. */
function shares(places: Float<"b 1 h w">, largest: number): Float<"b 1 h w"> {
  return places.div(places.mean([1, 2, 3], { keepDim: true }).add(1e-6)).clamp(0, largest);
}
