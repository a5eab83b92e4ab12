import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { GaussianData } from "../../../test/support/gaussian.ts";
import { ddim, dpmSolver, finish } from "../../diffusion/samplers.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { normal, Rng } from "../../engine/random.ts";
import type { GuidedCondition } from "../settings/model.ts";
import { editSampling } from "./edit-sampling.ts";

const schedule = createSchedule({ zeroTerminalSnr: true });
const denoiser = new GaussianData(0.5, 0.7, schedule).denoiser<GuidedCondition>();
const condition: GuidedCondition = {
  withoutText: () => condition,
  withoutImage: () => condition,
};

test.each([
  ["ddim", ddim],
  ["dpm-solver", dpmSolver],
] as const)("an edit by %s is sampled by that solver, at the model's times", (sampler, solver) => {
  const noise = normal(Rng.seed(1), [2, 3]);
  const spacing = [999, 600, 100];
  const settings = {
    steps: 3,
    sampler,
    temperature: 1,
    guidance: { text: 1, image: 1 },
    task: "style",
  } as const;
  const model = { schedule, defaults: { times: spacing } };
  const found = finish(editSampling({ denoiser, noise, condition }, settings, model));
  const wanted = finish(solver(denoiser, noise, condition, { schedule, steps: 3, spacing }));
  expect(largestDifference(found, wanted)).toBe(0);
});
