import type { Denoiser } from "../../src/diffusion/denoiser.ts";
import { toPrediction } from "../../src/diffusion/prediction.ts";
import { createSchedule } from "../../src/diffusion/schedule.ts";
import type {
  EditingModel,
  EditTexts,
  GuidedCondition,
  ModelDefaults,
} from "../../src/editing/settings/model.ts";
import { dispatch, Tensor, type Float } from "../../src/engine/tensor.ts";

/** How a stand-in departs from one that gives back its input. */
export interface StandInOptions {
  readonly size?: number;
  readonly window?: number;
  readonly hasVideoAdapter?: boolean;
  readonly hasAlignment?: boolean;
  /** What the edit multiplies pixels by: 1 keeps them, −1 turns them into their negative. */
  readonly factor?: number;
  /** How much of the noise stays in the result, so that the seed can be seen in it. */
  readonly grain?: number;
  readonly defaults?: ModelDefaults;
  /** Called at every evaluation. */
  readonly onPredict?: (evaluation: Evaluation) => void;
}

/** One evaluation of a stand-in's denoiser. */
export interface Evaluation {
  readonly by: "edit teacher" | "stack" | "student";
  readonly frames: number;
  readonly t: number;
  readonly texts: EditTexts;
  /** Mean of the first frame's condition; null for the edit teacher. */
  readonly firstFrameMean: number | null;
}

interface Condition extends GuidedCondition {
  readonly texts: EditTexts;
  readonly input: Float<"f c h w">;
  readonly firstFrame: Float<"1 c h w"> | null;
}

/**
 * A model without networks: latents are pixels in another order, without loss, and the edit is one
 * multiplication. It shows what the editor does around a model.
 */
export function standInModel(options: StandInOptions = {}): EditingModel {
  const { size = 32, window = 4, hasVideoAdapter = true, hasAlignment = false } = options;
  const { factor = 1, grain = 0, defaults = {} } = options;
  const schedule = createSchedule({ zeroTerminalSnr: true });
  const condition = (
    texts: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w"> | null,
  ): Condition => ({
    texts,
    input,
    firstFrame,
    withoutText: () => condition({ ...texts, caption: "", instruction: "" }, input, firstFrame),
    withoutImage: () => condition(texts, input.mul(0), null),
  });
  const denoiser = (by: Evaluation["by"]): Denoiser<Condition> => ({
    predict(xt, t, { texts, input, firstFrame }) {
      const firstFrameMean = firstFrame?.mean().item() ?? null;
      options.onPredict?.({ by, frames: xt.shape[0]!, t, texts, firstFrameMean });
      const x0 = input.mul(factor).add(xt.mul(grain));
      return toPrediction("x0", x0, { xt, t, schedule });
    },
  });
  return {
    path: "models/stand-in",
    name: "stand-in",
    hash: "0".repeat(64),
    size,
    window,
    schedule,
    hasVideoAdapter,
    hasAlignment,
    defaults,
    tokenizer: { unknownWords: (text) => text.split(" ").filter((word) => word === "unicorn") },
    latentShape: (frames) => [frames, 12, size / 2, size / 2],
    encode: (pixels) => dispatch("aten::pixel_unshuffle", pixels, 2),
    decode: (latents) => dispatch("aten::pixel_shuffle", latents, 2),
    editCondition: (texts, input) => condition(texts, input, null),
    editTeacher: () => denoiser("edit teacher"),
    stackedCondition: condition,
    stacked: () => denoiser("stack"),
    aligned: () => denoiser("student"),
  } satisfies EditingModel & { latentShape(frames: number): number[] };
}

/** Frames in an order of their own, each flat: the mean tells which one it is. */
export function flatLatents(levels: readonly number[], size = 32): Float<"f c h w"> {
  const frames = levels.map((level) => Tensor.full([12, size / 2, size / 2], level));
  return Tensor.stack(frames, 0);
}
