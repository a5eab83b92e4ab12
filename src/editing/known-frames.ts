import type { Denoiser } from "../diffusion/denoiser.ts";
import type { Schedule } from "../diffusion/schedule.ts";
import { Tensor, type Float } from "../engine/tensor.ts";

/** Frames at the start of a window whose result is settled. */
export interface KnownFrames {
  readonly clean: Float<"k c h w">;
  /** The noise those frames started from. */
  readonly noise: Float<"k c h w">;
  readonly schedule: Schedule;
}

/**
 * The same denoiser with the first frames held at a known result.
 *
 * At every time the network sees them as `α(t)·clean + σ(t)·noise`, at the noise level of the frames
 * beside them, which is what it was trained on; whatever it says of them is replaced by the truth.
 */
export function withKnownFrames<Condition>(
  denoiser: Denoiser<Condition>,
  { clean, noise, schedule }: KnownFrames,
): Denoiser<Condition> {
  const known = clean.shape[0] ?? 0;
  const replaced = (frames: Float<"f c h w">, first: Float<"k c h w">): Float<"f c h w"> => {
    const rest = (frames.shape[0] ?? 0) - known;
    return Tensor.cat([first, frames.narrow(0, known, rest)], 0);
  };
  return {
    predict(xt, t, condition) {
      const shown = replaced(xt, schedule.addNoise(clean, noise, t));
      const prediction = denoiser.predict(shown, t, condition);
      return { x0: replaced(prediction.x0, clean), noise: replaced(prediction.noise, noise) };
    },
  };
}
