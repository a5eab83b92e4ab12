import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { GaussianData } from "../../../test/support/gaussian.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { Rng, normal } from "../../engine/random.ts";
import { persist } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { stackedCondition, type StackedCondition } from "../stack/teachers.ts";
import { startNoise } from "./start-noise.ts";
import { drawEdits, drawTeacherSamples, type Teachers } from "./teacher-samples.ts";

const rng = Rng.seed(81);
const schedule = createSchedule({ zeroTerminalSnr: true });
const [CLIPS, FRAMES] = [2, 3];
const condition = stackedCondition(
  {
    caption: normal(rng.split("caption"), [CLIPS, 5, 8]),
    instruction: normal(rng.split("instruction"), [CLIPS, 5, 8]),
    tasks: Tensor.zeros([CLIPS], "int64"),
    input: normal(rng.split("input"), [CLIPS * FRAMES, 2, 4, 4]),
    firstFrame: normal(rng.split("first"), [CLIPS, 2, 4, 4]),
  },
  normal(rng.split("nothing"), [1, 5, 8]),
);
const teachers: Teachers = {
  edit: new GaussianData(2, 0.3, schedule).denoiser(),
  video: new GaussianData(-2, 0.3, schedule).denoiser(),
};
const options = { schedule, steps: 4, rng };
const firsts = (clips: Tensor): Float<"b c h w"> =>
  clips.reshape([CLIPS, FRAMES, 2, 4, 4]).select(1, 0);

describe("what the teachers draw", () => {
  test("is each teacher's own, by DDIM of as many steps as asked", () => {
    const { edit, video } = drawTeacherSamples(teachers, condition, {
      ...options,
      holdFirstFrame: false,
    });
    expect(Math.abs(edit.mean().item() - 2)).toBeLessThan(0.3);
    expect(Math.abs(video.mean().item() + 2)).toBeLessThan(0.3);
    const xT = startNoise(condition, "independent", rng);
    const wanted = finish(ddim(teachers.edit, xT, condition, { schedule, steps: 4 }));
    expect(largestDifference(drawEdits(teachers.edit, condition, options), wanted)).toBe(0);
  });

  test("begins with the edited first frame in the video teacher's clips, where it is held", () => {
    const draw = (holdFirstFrame: boolean): Tensor =>
      drawTeacherSamples(teachers, condition, { ...options, holdFirstFrame }).video;
    expect(largestDifference(firsts(draw(true)), condition.firstFrame!)).toBe(0);
    expect(largestDifference(firsts(draw(false)), condition.firstFrame!)).toBeGreaterThan(1);
  });

  test("starts from noise of each teacher's own", () => {
    const starts: Tensor[] = [];
    const witness: Denoiser<unknown> = {
      predict(xt) {
        starts.push(persist(xt.clone()));
        return { x0: xt, noise: xt };
      },
    };
    const both = { edit: witness, video: witness };
    drawTeacherSamples(both, condition, { ...options, steps: 1, holdFirstFrame: false });
    expect(starts).toHaveLength(2);
    expect(largestDifference(starts[0]!, starts[1]!)).toBeGreaterThan(1);
  });

  test("starts from as much noise as asked, and visits the times it is told", () => {
    const own = { ...options, steps: 2, times: [999, 350], temperature: 0 };
    const start = Tensor.zeros(condition.input.shape);
    const sampler = { schedule, steps: 2, spacing: [999, 350] };
    const drawn = drawTeacherSamples(teachers, condition, { ...own, holdFirstFrame: false });
    for (const kind of ["edit", "video"] as const) {
      const wanted = finish(ddim<StackedCondition>(teachers[kind], start, condition, sampler));
      expect(largestDifference(drawn[kind], wanted), kind).toBe(0);
    }
  });

  test("is a function of the random source, and differs from clip to clip", () => {
    const draw = (source: Rng): Tensor =>
      drawEdits(teachers.edit, condition, { ...options, rng: source });
    expect(largestDifference(draw(rng), draw(rng))).toBe(0);
    expect(largestDifference(draw(rng), draw(rng.split(1)))).toBeGreaterThan(0.1);
    const [one, other] = [firsts(draw(rng)).select(0, 0), firsts(draw(rng)).select(0, 1)];
    expect(largestDifference(one, other)).toBeGreaterThan(0.1);
  });
});
