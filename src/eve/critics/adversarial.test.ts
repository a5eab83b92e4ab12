import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { criticLoss, generatorLoss, hingeLoss, r1Penalty } from "./adversarial.ts";
import { AdversarialConfig, CriticConfig } from "./critic-config.ts";
import { EditCritic, VideoCritic, type Scores, type Sight } from "./critics.ts";

/** Scores of two samples, two heads, one place each. */
const scores = (values: readonly number[]): Scores => Tensor.from(values, [2, 2, 1]);

describe("hingeLoss", () => {
  test("is mean(max(0, 1 − D(real))) + mean(max(0, 1 + D(fake))), summed over heads", () => {
    const [real, fake] = [scores([2, 0.5, 0, -1]), scores([-3, 0, 0.5, -0.5])];
    // real: head 0 (0 + 1)/2, head 1 (0.5 + 2)/2; fake: head 0 (0 + 1.5)/2, head 1 (1 + 0.5)/2
    expect(hingeLoss(real, fake).item()).toBeCloseTo(0.5 + 1.25 + 0.75 + 0.75, 6);
  });

  test("asks nothing of a critic that is sure on both sides, and two a head of one that cannot tell", () => {
    expect(hingeLoss(scores([1, 2, 3, 1]), scores([-1, -2, -1, -4])).item()).toBe(0);
    expect(hingeLoss(scores([0, 0, 0, 0]), scores([0, 0, 0, 0])).item()).toBe(4);
  });
});

describe("generatorLoss", () => {
  const fake = scores([-3, 0, 0.5, -0.5]);

  test("in ADD's form is −mean(D), summed over heads", () => {
    expect(generatorLoss(fake, "linear").item()).toBeCloseTo(1.25 + 0.25, 6);
  });

  test("as printed is −mean(max(0, 1 + D)), summed over heads", () => {
    expect(generatorLoss(fake, "clipped").item()).toBeCloseTo(-0.75 - 0.75, 6);
  });

  test("draws every score upwards in ADD's form, and as printed only those above −1", () => {
    const slope = (form: "linear" | "clipped"): number[] => {
      const leaf = fake.clone().setRequiresGrad(true);
      return [...gradients(generatorLoss(leaf, form), [leaf])[0]!.toFloat32Array()];
    };
    expect(slope("linear")).toEqual([-0.5, -0.5, -0.5, -0.5]);
    expect(slope("clipped")).toEqual([0, -0.5, -0.5, -0.5]);
  });
});

describe("r1Penalty", () => {
  test("is the squared length of a linear critic's weights, by hand", () => {
    const weight = Tensor.from([1, -2, 3], [3]).setRequiresGrad(true);
    const tokens = normal(Rng.seed(1), [4, 5, 3]).setRequiresGrad(true);
    const verdicts: Scores = tokens.mul(weight).sum([-1]).unsqueeze(1);
    const penalty = r1Penalty(verdicts, [tokens]);
    // D is a mean over 5 places: each of them has weight/5, so 5·|w|²/25
    expect(penalty.item()).toBeCloseTo(14 / 5, 5);
    const slope = gradients(penalty, [weight])[0]!.toFloat32Array();
    [2 / 5, -4 / 5, 6 / 5].forEach((value, i) => expect(slope[i]).toBeCloseTo(value, 5));
  });
});

describe("criticLoss", () => {
  const vision = new VisionTransformer(
    Rng.seed(1),
    resolveVisionConfig({
      imageSize: 16,
      patchSize: 8,
      width: 16,
      layers: 1,
      heads: 2,
      expansion: 2,
    }),
  );
  const config = CriticConfig.parse({ depths: [0, 1], channels: 8, heads: 2, textFeatures: 4 });
  const text: Float = normal(Rng.seed(5), [1, 3, 4]);
  const pictures = (seed: number): Float => normal(Rng.seed(seed), [2, 3, 16, 16]);
  const editCritic = new EditCritic(Rng.seed(2), vision, config);
  const videoCritic = new VideoCritic(Rng.seed(3), vision, config);
  const cases = [
    {
      name: "EditCritic",
      critic: editCritic,
      score: (seen: Sight) =>
        editCritic.score(seen, { input: editCritic.see(pictures(6)), instruction: text }),
    },
    {
      name: "VideoCritic",
      critic: videoCritic,
      score: (seen: Sight) => videoCritic.score(seen, text),
    },
  ];

  test.each(cases)("of $name sums hinge and γ·R1, and tells both means", ({ critic, score }) => {
    const seen = { real: critic.see(pictures(7)), fake: critic.see(pictures(8)) };
    const plain = criticLoss(score, seen, AdversarialConfig.parse({}));
    const hinge = hingeLoss(score(seen.real), score(seen.fake)).item();
    expect(plain.loss.item()).toBeCloseTo(hinge, 5);
    expect(plain.real).toBeCloseTo(score(seen.real).mean().item(), 5);
    expect(plain.fake).toBeCloseTo(score(seen.fake).mean().item(), 5);
    const penalised = criticLoss(score, seen, { r1: 10 });
    expect(penalised.r1).toBeGreaterThan(0);
    expect(penalised.loss.item()).toBeCloseTo(hinge + 10 * penalised.r1, 3);
  });

  test.each(cases)(
    "of $name has R1's true gradient: operators differentiate twice",
    ({ critic, score }) => {
      using _ = tensorScope();
      const { tokens, h } = critic.see(pictures(7));
      const penalty = (): Float => {
        const leaves = tokens.map((some) => some.detach().setRequiresGrad(true));
        return r1Penalty(score({ tokens: leaves, h }), leaves).mul(100);
      };
      critic.setTrainable(true);
      const weights = [...critic.parameters()].filter(([, { shape }]) => shape.length > 1);
      const slopes = gradients(
        penalty(),
        weights.map(([, weight]) => weight),
      );
      const directions = weights.map(([name, { shape }]) => normal(Rng.seed(9).split(name), shape));
      const slope = slopes.reduce(
        (sum, found, i) => sum + (found ? found.mul(directions[i]!).sum().item() : 0),
        0,
      );
      const step = 1e-3;
      const move = (by: number): void =>
        weights.forEach(([, weight], i) => {
          weight.detach().copyFrom(weight.detach().addScaled(directions[i]!, by));
        });
      move(step);
      const ahead = penalty().item();
      move(-2 * step);
      const behind = penalty().item();
      move(step);
      critic.setTrainable(false);
      // central differences in float32 of second derivatives: a few percent
      expect(Math.abs(slope)).toBeGreaterThan(0.1);
      expect(Math.abs((ahead - behind) / (2 * step) / slope - 1)).toBeLessThan(0.05);
    },
  );

  test("tells a critic apart two kinds of pictures, by a few steps along its gradient", () => {
    using _ = tensorScope();
    const critic = new VideoCritic(Rng.seed(4), vision, config).setTrainable(true);
    const weights = [...critic.parameters().values()];
    const seen = { real: critic.see(pictures(7)), fake: critic.see(pictures(8)) };
    const score = (sight: Sight): Scores => critic.score(sight, text);
    const before = criticLoss(score, seen, { r1: 0 });
    for (let step = 0; step < 12; step++) {
      const { loss } = criticLoss(score, seen, { r1: 0 });
      gradients(loss, weights).forEach((slope, i) => {
        if (slope) weights[i]!.detach().copyFrom(weights[i]!.detach().addScaled(slope, -0.05));
      });
    }
    const after = criticLoss(score, seen, { r1: 0 });
    expect(after.loss.item()).toBeLessThan(0.5 * before.loss.item());
    expect(after.real - after.fake).toBeGreaterThan(before.real - before.fake + 0.5);
  });
});
