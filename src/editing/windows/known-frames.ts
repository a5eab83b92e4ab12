import type { Denoiser } from "../../diffusion/denoiser.ts";
import { type NoisyAt, type Prediction, toPrediction } from "../../diffusion/prediction.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { dispatch, Tensor, type Float } from "../../engine/tensor.ts";

/** Frames at the start of a window whose result is settled. */
export interface KnownFrames {
  readonly clean: Float<"k c h w">;
  /** The noise those frames started from. */
  readonly noise: Float<"k c h w">;
  readonly schedule: Schedule;
  /** What is edited, where the other frames continue a window that is settled and are to join it without a jump. */
  readonly continued: Float<"f c h w"> | null;
}

/** The mean square over channels, of latents of variance 1, that counts as another thing in a place. */
const MOVED = 0.3;

/**
 * The same denoiser with the first frames held at a known result.
 *
 * At every time the network sees them as `α(t)·clean + σ(t)·noise`, at the noise level of the frames beside them, which
 * is what it was trained on; whatever it says of them is replaced by the truth.
 *
 * Where they end a window before this one, what the network is wrong by on the last of them, `δ = clean − x̂0`, is added
 * to the new frames, whole to the first and fading linearly to none behind the last: none jumps where the network would
 * have gone on from another picture than the known one. In places where the input shows another thing than in the last
 * known frame it is not added: δ of a thing that has moved on would stay behind as its ghost.
 *
 * Deviation: InsV2V's long-video correction adds the mean of δ over the known frames, in ε, to all new ones alike, in the
 * first half of the steps. README.md has what either does to joins.
 */
export function withKnownFrames<Condition>(
  denoiser: Denoiser<Condition>,
  { clean, noise, schedule, continued }: KnownFrames,
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
      const prediction = continued
        ? joined(plain, { clean, input: continued }, { xt: shown, t, schedule })
        : plain;
      return { x0: replaced(prediction.x0, clean), noise: replaced(prediction.noise, noise) };
    },
  };
}

/** The prediction with its new frames moved by their shares of what it lacks on the last known one. */
function joined(
  { x0 }: Prediction,
  { clean, input }: { clean: Float<"k c h w">; input: Float<"f c h w"> },
  at: NoisyAt,
): Prediction {
  const known = clean.shape[0] ?? 0;
  const lacking = clean.narrow(0, known - 1, 1).sub(x0.narrow(0, known - 1, 1)); // "1 c h w"
  return toPrediction("x0", x0.add(sharesOf(input, known).mul(lacking)), at);
}

/**
 * How much of δ each place of each frame takes, 0–1.
 *
 * None in known frames; whole in the first new one, less in each further, and there `exp(−d / MOVED)` of it, where d is
 * how much the input differs from the last known frame, the most among a place and its neighbours.
 */
function sharesOf(input: Float<"f c h w">, known: number): Float<"f 1 h w"> {
  const frames = input.shape[0] ?? 0;
  const fading = Array.from({ length: frames }, (_, index) =>
    index < known ? 0 : 1 - (index - known) / (frames - known + 1),
  );
  const difference = input
    .sub(input.narrow(0, known - 1, 1))
    .square()
    .mean([1], { keepDim: true });
  const spread = dispatch("aten::max_pool2d", difference, [3, 3], [1, 1], [1, 1]);
  const still = spread.mul(-1 / MOVED).exp();
  return still.mul(Tensor.from(Float32Array.from(fading), [frames, 1, 1, 1]));
}
