import { dims, rearrange } from "../engine/axes.ts";
import { Tensor, type Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Schedule } from "./schedule.ts";

/** Frames at the start of each clip whose result is settled. */
export interface KnownFrames {
  readonly clean: Float<"b k c h w">;
  /** The noise those frames started from. */
  readonly noise: Float<"b k c h w">;
  readonly schedule: Schedule;
}

/**
 * The same denoiser of clips, `(b f) c h w`, with their first frames held at a known result.
 *
 * At every time the network sees them as `α(t)·clean + σ(t)·noise`, at the noise level of the frames beside them, which
 * is what it was trained on; whatever it says of them is replaced by the truth. Gradients reach the frames behind them alone.
 */
export function withKnownFrames<Condition>(
  denoiser: Denoiser<Condition>,
  { clean, noise, schedule }: KnownFrames,
): Denoiser<Condition> {
  return {
    predict(xt, t, condition) {
      const shown = beginningWith(schedule.addNoise(clean, noise, t), xt);
      const prediction = denoiser.predict(shown, t, condition);
      return {
        x0: beginningWith(clean, prediction.x0),
        noise: beginningWith(noise, prediction.noise),
      };
    },
  };
}

/** The clips with other first frames. */
function beginningWith(
  first: Float<"b k c h w">,
  clips: Float<"(b f) c h w">,
): Float<"(b f) c h w"> {
  const { b, k } = dims(first, "b k _ _ _");
  const split = rearrange(clips, "(b f) c h w -> b f c h w", { b });
  const rest = split.narrow(1, k, split.shape[1]! - k);
  return rearrange(Tensor.cat([first, rest], 1), "b f c h w -> (b f) c h w");
}
