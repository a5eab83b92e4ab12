import { describe, expect, onTestFinished, test, vi } from "vitest";
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
import type { TeacherSamples } from "../distillation/teacher-samples.ts";
import { stackedCondition, type StackedCondition } from "../stack/teachers.ts";
import { adversary, type Jury } from "./adversarial-objective.ts";
import { AdversarialConfig, AugmentationConfig, CriticConfig } from "./critic-config.ts";
import { EditCritic, VideoCritic } from "./critics.ts";
import { augment, drawAugmentation } from "./differentiable-augmentation.ts";

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

/** Parts of a point other than those of `point`. */
interface ChangedPoint {
  readonly condition?: Partial<StackedCondition>;
  readonly real?: Partial<TeacherSamples>;
}

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

  test("leaves critics as ready to learn as they were", () => {
    using _ = tensorScope();
    reach("genEdit");
    const weights = [jury.edit, jury.video].flatMap((critic) => [...critic.parameters().values()]);
    expect(weights.every(({ requiresGrad }) => requiresGrad)).toBe(true);
  });

  test.each<[string, ChangedPoint, "Edit" | "Video"]>([
    ["the edit teacher's samples", { real: { edit: latents("other") } }, "Edit"],
    ["the video teacher's samples", { real: { video: latents("other") } }, "Video"],
    ["the input frames", { condition: { input: latents("other") } }, "Edit"],
    ["the instruction", { condition: { instruction: normal(rng, [2, 5, 8]) } }, "Edit"],
    ["the caption", { condition: { caption: normal(rng, [2, 5, 8]) } }, "Video"],
  ])("shows %s to the critic that judges by them, and to no other", (_, changes, name) => {
    using __ = tensorScope();
    const judge = adversary(jury, TERMS)("learn");
    const verdicts = (given: EditPoint): number[] => {
      const terms = judge(nobody, latents("x0"), given, rng);
      return ["Edit", "Video"].map((critic) => terms[`real${critic}`]!.item());
    };
    const changed: EditPoint = {
      condition: { ...condition, ...changes.condition },
      real: { ...point.real!, ...changes.real },
    };
    const [before, after] = [verdicts(point), verdicts(changed)];
    const moved = ["Edit", "Video"].filter((_critic, i) => before[i] !== after[i]);
    expect(moved).toEqual([name]);
  });

  test("augments the frames of all that a critic sees alike: drawn, real and input", () => {
    using _ = tensorScope();
    const seen: Tensor[] = [];
    const see = vi.spyOn(jury.edit, "see").mockImplementation((frames) => {
      seen.push(frames);
      return EditCritic.prototype.see.call(jury.edit, frames);
    });
    onTestFinished(() => {
      see.mockRestore();
    });
    adversary(jury, ["genEdit"])("learn")(nobody, latents("x0"), point, rng);
    const draw = drawAugmentation(rng.split("augmentation"), 2, jury.augmentation);
    const wanted = ["x0", "real edit", "input"].map((name) =>
      augment(jury.decode(latents(name)), draw),
    );
    expect(seen).toHaveLength(3);
    for (const frames of wanted)
      expect(seen.filter((some) => largestDifference(some, frames) === 0)).toHaveLength(1);
  });

  test("takes the form of L_G that its config names", () => {
    using _ = tensorScope();
    const losses = AdversarialConfig.parse({ generator: "clipped" });
    const judged = (own: Jury): number =>
      adversary(own, ["genEdit"])("judge")(nobody, latents("x0"), point, rng)["genEdit"]!.item();
    // max(0, 1 + D) is more than D, and never less than 0
    expect(judged({ ...jury, losses })).toBeLessThanOrEqual(0);
    expect(judged({ ...jury, losses })).toBeLessThan(judged(jury) - 0.1);
  });

  test("tells how large the gradient of each L_G is at the student's edit", () => {
    using _ = tensorScope();
    const told = new Map<string, number>();
    const cast: Cast = { ...nobody, onGradient: (term, norm) => told.set(term, norm) };
    const x0 = latents("x0").setRequiresGrad(true);
    const terms = adversary(jury, TERMS)("judge")(cast, x0, point, rng);
    const norms = ["genEdit", "genVideo"].map((term) => {
      x0.clearGrad();
      terms[term]!.backward();
      return [term, x0.grad!.norm().item()];
    });
    expect([...told]).toEqual(norms);
    expect(norms[0]![1]).not.toBe(norms[1]![1]);
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
