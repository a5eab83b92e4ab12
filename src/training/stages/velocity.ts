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

/**
 * Integer times for a batch, spread evenly over the schedule: one at random from each of `count` equal bins.
 *
 * Every time is as likely as any other, with less variance than independent draws.
 */
export function spreadTimes(rng: Rng, count: number, steps: number): number[] {
  const within = rng.uniforms(count);
  return Array.from(within, (u, bin) =>
    Math.min(steps - 1, Math.floor(((bin + u) / count) * steps)),
  );
}

/** Noises `x0` at one time per group of `group` consecutive entries (the frames of a clip share theirs). */
export function noiseBatch(
  x0: Float<"b ...">,
  schedule: Schedule,
  rng: Rng,
  group = 1,
): NoisedBatch {
  const count = (x0.shape[0] as number) / group;
  const times = spreadTimes(rng.split("time"), count, schedule.steps).flatMap((t) =>
    Array.from({ length: group }, () => t),
  );
  const t: Int<"b"> = Tensor.from(times, [times.length], "int64");
  const noise = normal(rng.split("noise"), x0.shape);
  return {
    xt: schedule.addNoise(x0, noise, t),
    labels: t.to("float32"),
    target: targetFor("v", { x0, noise }, t, schedule),
  };
}

/** Mean squared error of the predicted velocity. */
export function velocityLoss(output: Float<"b ...">, { target }: NoisedBatch): Float<""> {
  return output.to("float32").sub(target).square().mean();
}
