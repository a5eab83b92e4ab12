import type { Denoiser } from "../diffusion/denoiser.ts";
import { type NoisyAt, type Prediction, toPrediction } from "../diffusion/prediction.ts";
import type { Schedule } from "../diffusion/schedule.ts";
import { Tensor, type Float } from "../engine/tensor.ts";

/** Frames at the start of a window whose result is settled. */
export interface KnownFrames {
  readonly clean: Float<"k c h w">;
  /** The noise those frames started from. */
  readonly noise: Float<"k c h w">;
  readonly schedule: Schedule;
  /** Whether the other frames continue a window that is settled, and are to join it without a jump. */
  readonly isContinued: boolean;
}

/**
 * The same denoiser with the first frames held at a known result.
 *
 * At every time the network sees them as `α(t)·clean + σ(t)·noise`, at the noise level of the frames beside them, which
 * is what it was trained on; whatever it says of them is replaced by the truth.
 *
 * Where they end a window before this one, what the network is wrong by on the last of them, `δ = clean − x̂0`, is added
 * to the new frames, whole to the first and fading linearly to none behind the last: none jumps where the network would
 * have gone on from another picture than the known one.
 *
 * Deviation: InsV2V's long-video correction adds the mean of δ over the known frames, in ε, to all new ones alike, in the
 * first half of the steps. README.md has what either does to joins.
 */
export function withKnownFrames<Condition>(
  denoiser: Denoiser<Condition>,
  { clean, noise, schedule, isContinued }: KnownFrames,
): Denoiser<Condition> {
  const known = clean.shape[0] ?? 0;
  const replaced = (frames: Float<"f c h w">, first: Float<"k c h w">): Float<"f c h w"> => {
    const rest = (frames.shape[0] ?? 0) - known;
    return Tensor.cat([first, frames.narrow(0, known, rest)], 0);
  };
  return {
    predict(xt, t, condition) {
      const shown = replaced(xt, schedule.addNoise(clean, noise, t));
      const plain = denoiser.predict(shown, t, condition);
      const prediction = isContinued ? joined(plain, clean, { xt: shown, t, schedule }) : plain;
      return { x0: replaced(prediction.x0, clean), noise: replaced(prediction.noise, noise) };
    },
  };
}

/** The prediction with its new frames moved by what it lacks on the last known one. */
function joined({ x0 }: Prediction, clean: Float<"k c h w">, at: NoisyAt): Prediction {
  const drawn = x0.add(fading(lastError(x0, clean), x0.shape[0] ?? 0, clean.shape[0] ?? 0));
  return toPrediction("x0", drawn, at);
}

/** What a prediction lacks on the last of the known frames. */
function lastError(x0: Float<"f c h w">, clean: Float<"k c h w">): Float<"1 c h w"> {
  const last = (clean.shape[0] ?? 0) - 1;
  return clean.narrow(0, last, 1).sub(x0.narrow(0, last, 1));
}

/** `error` for each of `frames` frames: whole on the first new one, less on each further, nothing on known ones. */
function fading(error: Float<"1 c h w">, frames: number, known: number): Float<"f c h w"> {
  const fresh = frames - known;
  const shares = Array.from({ length: frames }, (_, index) =>
    index < known ? 0 : 1 - (index - known) / (fresh + 1),
  );
  return error.mul(Tensor.from(Float32Array.from(shares), [frames, 1, 1, 1]));
}
