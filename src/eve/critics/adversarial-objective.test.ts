import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, dispatch, type Float } from "../../engine/tensor.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import {
  DistillationConfig,
  distillationWeights,
  TERMS,
} from "../distillation/distillation-config.ts";
import type { Cast, EditPoint, Terms } from "../distillation/distillation.ts";
import { stackedCondition } from "../stack/teachers.ts";
import { adversary, type Jury } from "./adversarial-objective.ts";
import { AdversarialConfig, AugmentationConfig, CriticConfig } from "./critic-config.ts";
import { EditCritic, VideoCritic } from "./critics.ts";

const rng = Rng.seed(61);
const latents = (name: string): Float<"(b f) c h w"> => normal(rng.split(name), [4, 4, 8, 8]);
const vision = new VisionTransformer(
  rng.split("vision"),
  resolveVisionConfig({
    imageSize: 16,
    patchSize: 4,
    width: 16,
    layers: 1,
    heads: 2,
    expansion: 2,
  }),
);
vision.setTrainable(false);
const config = CriticConfig.parse({ depths: [0, 1], channels: 8, heads: 2, textFeatures: 8 });
const jury: Jury = {
  edit: new EditCritic(rng.split("D_e"), vision, config),
  video: new VideoCritic(rng.split("D_v"), vision, config),
  // three channels, twice as large: something that can be differentiated
  decode: (x) => dispatch("aten::upsample_nearest2d.vec", x.narrow(1, 0, 3).tanh(), [16, 16], null),
  losses: AdversarialConfig.parse({}),
  augmentation: AugmentationConfig.parse({}),
};
const condition = stackedCondition(
  {
    caption: normal(rng.split("caption"), [2, 5, 8]),
    instruction: normal(rng.split("instruction"), [2, 5, 8]),
    tasks: Tensor.from([0, 1], [2], "int64"),
    input: latents("input"),
    firstFrame: null,
  },
  normal(rng.split("nothing"), [1, 5, 8]),
);
const point: EditPoint = {
  condition,
  real: { edit: latents("real edit"), video: latents("real video") },
};
const nobody: Cast = {
  student: { predict: (xt) => ({ x0: xt, noise: xt }) },
  teachers: {
    edit: { predict: (xt) => ({ x0: xt, noise: xt }) },
    video: { predict: (xt) => ({ x0: xt, noise: xt }) },
  },
};

/** The terms for one student's edit, and what the named one's gradient reaches. */
function reach(term: string, role: "learn" | "judge" = "judge") {
  const x0 = latents("x0").setRequiresGrad(true);
  jury.edit.setTrainable(true);
  jury.video.setTrainable(true);
  const terms = adversary(jury, TERMS)(role)(nobody, x0, point, rng);
  terms[term]!.backward();
  // a gradient may be zero: within the margins of a hinge, that of a bias is
  const touched = (critic: EditCritic | VideoCritic): number =>
    [...critic.parameters().values()].filter(({ grad }) => grad !== null).length;
  const found = { student: x0.grad, edit: touched(jury.edit), video: touched(jury.video) };
  for (const critic of [jury.edit, jury.video])
    for (const weight of critic.parameters().values()) weight.clearGrad();
  return { terms, found };
}

describe("the adversarial objective", () => {
  test("moves the student by L_G and no critic", () => {
    using _ = tensorScope();
    for (const term of ["genEdit", "genVideo"]) {
      const { student, edit, video } = reach(term).found;
      expect(student!.abs().max().item()).toBeGreaterThan(0);
      expect([edit, video]).toEqual([0, 0]);
    }
  });

  test("moves each critic by its own L_D, all of its weights, and no student", () => {
    using _ = tensorScope();
    const all = jury.edit.parameters().size;
    expect(reach("criticEdit").found).toEqual({ student: null, edit: all, video: 0 });
    const { video: heads } = reach("criticVideo").found;
    expect(heads).toBe(jury.video.parameters().size);
  });

  test("while critics only learn has no term for the student", () => {
    using _ = tensorScope();
    const { terms, found } = reach("criticEdit", "learn");
    expect(Object.keys(terms).filter((name) => name.startsWith("gen"))).toEqual([]);
    expect(found.student).toBeNull();
    const judged = reach("criticEdit").terms;
    expect(terms["criticEdit"]!.item()).toBe(judged["criticEdit"]!.item());
  });

  test("asks the critics alone whose term is named, and tells their mean scores", () => {
    using _ = tensorScope();
    const names = (terms: Parameters<typeof adversary>[1]): string[] =>
      Object.keys(adversary(jury, terms)("judge")(nobody, latents("x0"), point, rng));
    expect(names(["sdsEdit", "genVideo"])).toEqual([
      "genVideo",
      "criticVideo",
      "realVideo",
      "fakeVideo",
    ]);
    const { terms } = reach("genVideo");
    // linear generator loss: minus the scores, summed over two heads
    const sum = terms["fakeVideo"]!.mul(-2).item();
    expect(Math.abs(terms["genVideo"]!.item() - sum)).toBeLessThan(1e-5);
  });

  test("tells R1, which is in the critics' losses, where it is on", () => {
    using _ = tensorScope();
    for (const critic of [jury.edit, jury.video]) critic.setTrainable(true);
    const termsWith = (r1: number): Terms => {
      const strict = { ...jury, losses: { ...jury.losses, r1 } };
      return adversary(strict, TERMS)("judge")(nobody, latents("x0"), point, rng);
    };
    const [without, within] = [termsWith(0), termsWith(0.5)];
    expect(Object.keys(without).filter((name) => name.startsWith("r1"))).toEqual([]);
    for (const name of ["Edit", "Video"]) {
      const penalty = within[`r1${name}`]!.item();
      expect(penalty).toBeGreaterThan(0);
      const added = within[`critic${name}`]!.sub(without[`critic${name}`]!).item();
      expect(added).toBeCloseTo(0.5 * penalty, 5);
      expect(distillationWeights(DistillationConfig.parse({}))[`r1${name}`]).toBe(0);
    }
  });

  test("finds nothing to tell apart where the student draws what the teacher drew", () => {
    using _ = tensorScope();
    const same = { condition, real: { edit: latents("x0"), video: latents("x0") } };
    const terms: Terms = adversary(jury, TERMS)("learn")(nobody, latents("x0"), same, rng);
    for (const name of ["Edit", "Video"])
      expect(largestDifference(terms[`real${name}`]!, terms[`fake${name}`]!)).toBe(0);
  });

  test("needs something real to compare with", () => {
    const judge = adversary(jury, TERMS)("judge");
    expect(() => judge(nobody, latents("x0"), { condition, real: null }, rng)).toThrow(ConfigError);
  });
});
