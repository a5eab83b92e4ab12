import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL, disturbed, smallNetworks } from "../../../test/support/small-model.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { gradients, noGrad } from "../../engine/autodiff.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { persist, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { parametersOf } from "../../nn/module.ts";
import { AlignmentConfig } from "../stack/alignment-config.ts";
import { alignedStudent, createAlignment } from "../stack/student.ts";
import { stackedCondition, type Networks, type StackedCondition } from "../stack/teachers.ts";
import { DistillationConfig, distillationWeights } from "./distillation-config.ts";
import {
  distil,
  phaseAt,
  phases,
  studentEdit,
  studentLosses,
  type Adversary,
  type Cast,
  type EditPoint,
} from "./distillation.ts";
import { addNoise, scoreDistillation } from "./score-distillation.ts";
import { guidedTeachers } from "./teacher-samples.ts";

const rng = Rng.seed(51);
const schedule = createSchedule(SMALL.schedule);
const defaults = DistillationConfig.parse({});
const unguided = DistillationConfig.parse({
  scoreDistillation: { guideEdit: { image: 1, text: 1 }, guideVideo: { image: 1, text: 1 } },
});
const [CLIPS, FRAMES] = [2, 3];
const condition = stackedCondition(
  {
    caption: normal(rng.split("caption"), [CLIPS, 5, 16]),
    instruction: normal(rng.split("instruction"), [CLIPS, 5, 16]),
    tasks: Tensor.from([2, 4], [CLIPS], "int64"),
    input: normal(rng.split("input"), [CLIPS * FRAMES, 4, 8, 8]),
    firstFrame: normal(rng.split("first"), [CLIPS, 4, 8, 8]),
  },
  normal(rng.split("nothing"), [1, 5, 16]),
);
const samples = {
  edit: normal(rng.split("real edit"), condition.input.shape),
  video: normal(rng.split("real video"), condition.input.shape),
};
const point: EditPoint = { condition, real: samples };

/** A denoiser that remembers what it was shown. */
function witness(answer = 0.5): Denoiser<StackedCondition> & { readonly seen: [Tensor, number][] } {
  const seen: [Tensor, number][] = [];
  return {
    seen,
    predict(xt, t) {
      seen.push([persist(xt.detach().clone()), t]);
      return { x0: xt.mul(answer), noise: xt.mul(1 - answer) };
    },
  };
}

function castOf(): Cast & { teachers: Record<"edit" | "video", ReturnType<typeof witness>> } {
  return { student: witness(), teachers: { edit: witness(0.2), video: witness(0.8) } };
}

/** Critics of which only the role is told. */
const roles: Adversary = (role) => () => ({ [role]: Tensor.scalar(0) });

describe("score distillation from both teachers", () => {
  const x0 = normal(rng.split("x0"), condition.input.shape);

  test("shows them one noised sample at one time", () => {
    const cast = castOf();
    const terms = distil(schedule, defaults.scoreDistillation, defaults.terms)(
      cast,
      x0,
      point,
      rng,
    );
    expect(Object.keys(terms)).toEqual(["sdsEdit", "sdsVideo"]);
    const [[edit], [video]] = [cast.teachers.edit.seen, cast.teachers.video.seen];
    expect(largestDifference(edit![0], video![0])).toBe(0);
    expect(edit![1]).toBe(video![1]);
    expect(terms["sdsEdit"]!.item()).not.toBe(terms["sdsVideo"]!.item());
  });

  test("is the mean of what several draws say", () => {
    const config = { ...defaults.scoreDistillation, draws: 3 };
    const cast = castOf();
    const term = distil(schedule, config, ["sdsVideo"])(cast, x0, point, rng)["sdsVideo"]!;
    expect(cast.teachers.video.seen).toHaveLength(3);
    const noised = addNoise(x0, rng.split("score distillation"), { schedule, config });
    const alone = noised.map((sample) =>
      scoreDistillation(witness(0.8), sample, condition, { schedule, config }).item(),
    );
    const mean = alone.reduce((sum, loss) => sum + loss, 0) / 3;
    expect(term.item()).toBeCloseTo(mean, 6);
    expect(new Set(alone).size).toBe(3);
  });

  test("tells how large the gradient of each term is at the edit", () => {
    const told: [string, number][] = [];
    const cast = {
      ...castOf(),
      onGradient: (term: string, norm: number) => told.push([term, norm]),
    };
    const own = x0.clone().setRequiresGrad(true);
    const judge = distil(schedule, defaults.scoreDistillation, defaults.terms);
    const { sdsEdit, sdsVideo } = judge(cast, own, point, rng);
    const wanted = [sdsEdit!, sdsVideo!].map((term) => gradients(term, [own])[0]!.norm().item());
    expect(told).toEqual([
      ["sdsEdit", wanted[0]],
      ["sdsVideo", wanted[1]],
    ]);
    expect(wanted[0]).not.toBe(wanted[1]);
  });

  test("asks those teachers alone whose terms are named", () => {
    const cast = castOf();
    const terms = distil(schedule, defaults.scoreDistillation, ["sdsVideo"])(cast, x0, point, rng);
    expect(Object.keys(terms)).toEqual(["sdsVideo"]);
    expect(cast.teachers.edit.seen).toHaveLength(0);
  });
});

describe("the phases", () => {
  /** Each phase's name, first step and terms. */
  const outline = (
    input: z.input<typeof DistillationConfig>,
    adversary: Adversary | null = roles,
  ) =>
    phases(schedule, DistillationConfig.parse(input), adversary).map(
      ({ name, from, objectives }) => [
        name,
        from,
        objectives.flatMap((judge) => Object.keys(judge(castOf(), condition.input, point, rng))),
      ],
    );
  const score = ["sdsEdit", "sdsVideo"];

  test("are the paper's: a thousand steps of score distillation, then critics beside it", () => {
    expect(outline({})).toEqual([
      ["distil", 0, score],
      ["sharpen", 1000, [...score, "judge"]],
    ]);
    const all = phases(schedule, defaults, roles);
    expect([0, 999, 1000, 1499].map((step) => phaseAt(all, step).name)).toEqual([
      "distil",
      "distil",
      "sharpen",
      "sharpen",
    ]);
  });

  test("let critics learn before they judge, where the config asks for it", () => {
    const sharpen = ["sharpen", 50, [...score, "judge"]];
    expect(outline({ adversarialFrom: 50, criticWarmup: 20 })).toEqual([
      ["distil", 0, score],
      ["warm up", 30, [...score, "learn"]],
      sharpen,
    ]);
    expect(outline({ adversarialFrom: 50, criticWarmup: 80 })).toEqual([
      ["warm up", 0, [...score, "learn"]],
      sharpen,
    ]);
  });

  test("that have no term left are left out", () => {
    expect(outline({ terms: ["sdsEdit", "sdsVideo"] }, null)).toEqual([["distil", 0, score]]);
    expect(outline({ terms: ["genEdit", "genVideo"] })).toEqual([["sharpen", 0, ["judge"]]]);
    expect(outline({ adversarialFrom: 0 })).toEqual([["sharpen", 0, [...score, "judge"]]]);
    expect(outline({ terms: ["sdsVideo", "genEdit", "genVideo"] })[0]).toEqual([
      "distil",
      0,
      ["sdsVideo"],
    ]);
  });

  test("with critics need critics", () => {
    expect(() => phases(schedule, defaults, null)).toThrow(ConfigError);
  });
});

describe("the config", () => {
  test("weighs the terms as the paper does", () => {
    expect(distillationWeights(defaults)).toMatchObject({
      sdsEdit: 1.25,
      sdsVideo: 1.25,
      genEdit: 0.5,
      genVideo: 0.5,
      criticEdit: 0.5,
      criticVideo: 0.5,
    });
  });

  test("weighs edits by α, video by β, score distillation by λ besides, and what is only watched by nothing", () => {
    const weights = distillationWeights({ alpha: 2, beta: 3, lambda: 10 });
    const judged = Object.entries(weights).filter(([, weight]) => weight !== 0);
    expect(Object.fromEntries(judged)).toEqual({
      sdsEdit: 20,
      sdsVideo: 30,
      genEdit: 2,
      genVideo: 3,
      criticEdit: 2,
      criticVideo: 3,
    });
  });

  test("scores where the paper is silent as DreamFusion does, guided as Emu Edit and Emu Video sample", () => {
    const guides = { guideEdit: { image: 1.5, text: 5 }, guideVideo: { image: 2, text: 7.5 } };
    expect(defaults.scoreDistillation).toEqual({
      weight: "sigmaSquared",
      times: [0.02, 0.98],
      draws: 1,
      ...guides,
    });
    expect(defaults.samples).toMatchObject(guides);
  });
});

describe("the student's edit", () => {
  const start = (noise: DistillationConfig["noise"], source = rng): Float<"b f c h w"> => {
    const student = witness();
    studentEdit(student, condition, {
      schedule,
      config: { ...defaults, noise, holdFirstFrame: false },
      rng: source,
    });
    return student.seen[0]![0].reshape([CLIPS, FRAMES, 4, 8, 8]);
  };
  const difference = (noise: Tensor, [a, b]: number[], [c, d]: number[]): number =>
    largestDifference(noise.select(0, a!).select(0, b!), noise.select(0, c!).select(0, d!));

  test("starts from noise of each frame's own, or from one for all frames of a clip", () => {
    const independent = start("independent");
    expect(difference(independent, [0, 0], [0, 1])).toBeGreaterThan(1);
    const shared = start("shared");
    expect(difference(shared, [0, 0], [0, 2])).toBe(0);
    expect(difference(shared, [0, 0], [1, 0])).toBeGreaterThan(1);
    const isShared = Array.from(
      { length: 100 },
      (_, i) => difference(start("both", rng.split(i)), [0, 0], [0, 1]) === 0,
    );
    // Three standard errors of a hundred coins
    expect(Math.abs(isShared.filter(Boolean).length - 50)).toBeLessThan(15);
  });

  test("starts from less noise at a lower temperature, from none at 0", () => {
    const options = { schedule, rng };
    const startAt = (temperature: number): Tensor => {
      const student = witness();
      const config = { ...defaults, temperature, holdFirstFrame: false };
      studentEdit(student, condition, { ...options, config });
      return student.seen[0]![0];
    };
    expect(largestDifference(startAt(0.5), startAt(1).mul(0.5))).toBe(0);
    expect(startAt(0).abs().max().item()).toBe(0);
  });

  test.each([
    [true, 6],
    [false, 3],
  ])("with recompute %s asks the student %i times, forward and backward", (recompute, times) => {
    const gain = Tensor.scalar(0.5).setRequiresGrad(true);
    let asked = 0;
    const student: Denoiser<StackedCondition> = {
      predict(xt) {
        asked++;
        return { x0: xt.mul(gain), noise: xt };
      },
    };
    const config = { ...defaults, recompute, holdFirstFrame: false };
    studentEdit(student, condition, { schedule, config, rng }).square().mean().backward();
    expect(asked).toBe(times);
  });

  test("visits one time in each bin, and keeps the first frame it was given where it is to", () => {
    const student = witness();
    const x0 = studentEdit(student, condition, { schedule, config: defaults, rng });
    expect(student.seen.map(([, t]) => Math.floor(t / (1000 / 3)))).toEqual([2, 1, 0]);
    const firsts = x0.reshape([CLIPS, FRAMES, 4, 8, 8]).select(1, 0);
    expect(largestDifference(firsts, condition.firstFrame!)).toBe(0);
    const [shown, t] = student.seen[2]!;
    const noise = student.seen[0]![0].reshape([CLIPS, FRAMES, 4, 8, 8]).select(1, 0);
    const t0 = student.seen[0]![1];
    const own = noise.sub(condition.firstFrame!.mul(schedule.alpha(t0))).div(schedule.sigma(t0));
    const wanted = schedule.addNoise(condition.firstFrame!, own, t);
    const first = shown.reshape([CLIPS, FRAMES, 4, 8, 8]).select(1, 0);
    // float32, there and back
    expect(largestDifference(first, wanted)).toBeLessThan(1e-5);
  });
});

describe("one iteration on networks", () => {
  function stage(): { cast: Cast; networks: Networks; trainable: ReadonlyMap<string, Tensor> } {
    const { unet, editAdapter, layers } = smallNetworks();
    const networks: Networks = {
      unet,
      editAdapter: disturbed(editAdapter),
      videoAdapter: disturbed(layers),
      schedule,
      kind: "v",
    };
    const lora = createAlignment(rng, unet, AlignmentConfig.parse({ rank: 2 }));
    // away from birth, so that every part of it has a gradient
    disturbed(lora).setTrainable(true);
    const { denoiser, trainable } = alignedStudent(networks, lora);
    const teachers = guidedTeachers(networks, unguided.scoreDistillation);
    return { cast: { student: denoiser, teachers }, networks, trainable };
  }

  test("moves every part of the LoRA and nothing else, by both teachers, through all steps", () => {
    using _ = tensorScope();
    const { cast, networks, trainable } = stage();
    const times: number[] = [];
    const student: Denoiser<StackedCondition> = {
      predict: (xt, t, of) => {
        times.push(t);
        return cast.student.predict(xt, t, of);
      },
    };
    const objectives = [distil(schedule, unguided.scoreDistillation, ["sdsEdit", "sdsVideo"])];
    const options = { schedule, config: unguided, rng };
    const { sdsEdit, sdsVideo } = studentLosses({ ...cast, student }, objectives, point, options);
    sdsEdit!.add(sdsVideo!).backward();
    // each step is evaluated once forward, and once more backward
    expect(times.slice(3)).toEqual(times.slice(0, 3).toReversed());
    for (const [name, weight] of trainable)
      expect([name, weight.grad!.abs().max().item() > 0]).toEqual([name, true]);
    const { unet, editAdapter, videoAdapter } = networks;
    const frozen = parametersOf({ unet, editAdapter, videoAdapter: videoAdapter! });
    for (const weight of frozen.values()) expect(weight.grad).toBeNull();
  });

  test("is a function of its random source alone", () => {
    using _ = tensorScope();
    const { cast } = stage();
    const objectives = [distil(schedule, unguided.scoreDistillation, ["sdsEdit"])];
    const run = (source: Rng): number =>
      noGrad(() =>
        studentLosses(cast, objectives, point, { schedule, config: unguided, rng: source }),
      )["sdsEdit"]!.item();
    expect(run(rng.split(1))).toBe(run(rng.split(1)));
    expect(run(rng.split(1))).not.toBe(run(rng.split(2)));
  });

  test("guides a teacher as the config says: at scale one it is the teacher itself", () => {
    using _ = tensorScope();
    const { networks } = stage();
    const xt = condition.input;
    const plain = guidedTeachers(networks, unguided.scoreDistillation);
    const guided = guidedTeachers(networks, defaults.scoreDistillation);
    for (const name of ["edit", "video"] as const) {
      const { image, text } =
        defaults.scoreDistillation[name === "edit" ? "guideEdit" : "guideVideo"];
      const noise = (of: StackedCondition): Tensor => plain[name].predict(xt, 500, of).noise;
      const [full, silent] = [noise(condition), noise(condition.withoutText())];
      const nothing = noise(condition.withoutText().withoutImage());
      const wanted = nothing
        .addScaled(silent.sub(nothing), image)
        .addScaled(full.sub(silent), text);
      const found = guided[name].predict(xt, 500, condition).noise;
      expect(largestDifference(full, silent)).toBeGreaterThan(1e-3);
      // float32 sums of terms of a few units
      expect(largestDifference(found, wanted)).toBeLessThan(1e-4);
    }
  });
});
