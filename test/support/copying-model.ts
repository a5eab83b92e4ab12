import type { Denoiser } from "../../src/diffusion/denoiser.ts";
import { createSchedule, ScheduleConfig } from "../../src/diffusion/schedule.ts";
import type { GuidedCondition } from "../../src/editing/settings/model.ts";
import { Tensor, type Float } from "../../src/engine/tensor.ts";
import type { EvaluatedModel } from "../../src/evaluation/methods/evaluated-model.ts";

interface Picture extends GuidedCondition {
  readonly picture: Float<"_ c h w">;
}

const schedule = createSchedule(ScheduleConfig.parse({ steps: 100, zeroTerminalSnr: true }));

function condition(picture: Float<"_ c h w">): Picture {
  return { picture, withoutText: () => condition(picture), withoutImage: () => condition(picture) };
}

/** Says that every frame is the condition's picture. */
const copying: Denoiser<Picture> = {
  predict(xt, t, { picture }) {
    const x0 = picture.expand(xt.shape);
    const rest = xt.sub(x0.mul(schedule.alpha(t)));
    return { x0, noise: rest.div(schedule.sigma(t)) };
  },
};

/** Draws noise: what is on one frame has nothing to do with the next. */
const drawingNoise: Denoiser<unknown> = {
  predict: (xt) => ({ x0: xt.mul(0.3), noise: xt }),
};

/** A model without weights whose latents are the pixels and whose edits change nothing. */
export function copyingModel({
  hasVideoAdapter = true,
  size = 24,
}: {
  hasVideoAdapter?: boolean;
  size?: number;
} = {}): EvaluatedModel {
  return {
    path: "",
    name: "copying",
    hash: "0".repeat(64),
    size,
    window: 3,
    schedule,
    hasVideoAdapter,
    hasAlignment: hasVideoAdapter,
    tokenizer: { unknownWords: () => [] },
    latentShape: (frames) => [frames, 3, size, size],
    encode: (pixels) => pixels.clone(),
    decode: (latents) => latents.clone(),
    editCondition: (_, input) => condition(input.clone()),
    editTeacher: () => copying,
    stackedCondition: (_, input) => condition(input.clone()),
    stacked: () => copying,
    aligned: () => copying,
    captionCondition: () => condition(Tensor.zeros([1, 3, size, size])),
    backbone: () => drawingNoise,
    videoCondition: (_, firstFrame) => condition(firstFrame.clone()),
    videoTeacher: () => copying,
  };
}
