import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import {
  PrototypeHead,
  balancedShares,
  follow,
  selfDistillationLoss,
  spreadOf,
  teacherShares,
} from "./self-distillation.ts";

const shape = { hidden: 8, bottleneck: 4, prototypes: 6 };

describe("PrototypeHead", () => {
  test("gives cosines, whatever the lengths of its prototypes", () => {
    const head = new PrototypeHead(Rng.seed(1), 5, shape);
    const cosines = head.forward(normal(Rng.seed(2), [3, 5]).mul(100));
    expect(cosines.shape).toEqual([3, 6]);
    expect(cosines.abs().max().item()).toBeLessThanOrEqual(1 + 1e-6);
    head.prototypes.copyFrom(head.prototypes.mul(7));
    const again = head.forward(normal(Rng.seed(2), [3, 5]).mul(100));
    expect(largestDifference(again, cosines)).toBeLessThan(1e-5);
  });
});

describe("teacherShares", () => {
  test("are the softmax of what is left of the centre, and sharpen as the temperature falls", () => {
    const cosines = Tensor.from([0.3, 0.1], [1, 2]);
    const shares = teacherShares(cosines, Tensor.from([0.1, 0], [2]), 0.1);
    // exp(2) against exp(1)
    expect(shares.toFloat32Array()[0]).toBeCloseTo(Math.E / (1 + Math.E), 5);
    const even = teacherShares(cosines, Tensor.from([0.2, 0], [2]), 0.01);
    expect(even.toFloat32Array()[0]).toBeCloseTo(0.5, 5);
    expect(
      teacherShares(cosines, Tensor.zeros([2]), 0.01)
        .max()
        .item(),
    ).toBeGreaterThan(0.999);
  });
});

describe("balancedShares", () => {
  const cosines = normal(Rng.seed(4), [8, 4]).mul(0.1);
  const firstIsLiked = cosines.add(Tensor.from([0.5, 0, 0, 0], [4]));

  test("sum to one for every picture, and give every prototype about as much", () => {
    const shares = balancedShares(firstIsLiked, 0.1);
    expect(largestDifference(shares.sum([1]), Tensor.ones([8]))).toBeLessThan(1e-5);
    // unbalanced, the first would take nearly all 8; three rounds come within a twentieth of 2 each
    expect(firstIsLiked.div(0.1).softmax(-1).sum([0]).max().item()).toBeGreaterThan(7);
    expect(largestDifference(shares.sum([0]), Tensor.full([4], 2))).toBeLessThan(0.1);
  });

  test("do not care how much a prototype is liked by all", () => {
    const [plain, liked] = [balancedShares(cosines, 0.1), balancedShares(firstIsLiked, 0.1)];
    expect(largestDifference(plain, liked)).toBeLessThan(1e-5);
  });
});

describe("selfDistillationLoss", () => {
  const [a, b, c] = [1, 2, 3].map((seed) => normal(Rng.seed(seed), [2, 4]));
  const [p, q] = [a!, b!].map((view) => view.softmax(-1));
  const crossEntropy = (target: Tensor, view: Tensor): number =>
    target.mul(view.div(0.5).logSoftmax(-1)).sum().item() / -2;

  test("compares every view with the teacher's of each other one", () => {
    const expected =
      crossEntropy(p!, b!) + crossEntropy(p!, c!) + crossEntropy(q!, a!) + crossEntropy(q!, c!);
    const found = selfDistillationLoss([a!, b!, c!], [p!, q!], 0.5);
    expect(found.item()).toBeCloseTo(expected / 4, 5);
  });

  test("draws a view towards the teacher's sorting, and rests where they are the same", () => {
    const leaf = b!.clone().setRequiresGrad(true);
    const slopeTo = (target: Tensor): Tensor =>
      gradients(selfDistillationLoss([a!, leaf], [target], 1), [leaf])[0]!;
    // the gradient of a cross-entropy: (softmax − target) / b
    expect(largestDifference(slopeTo(p!), q!.sub(p!).div(2))).toBeLessThan(1e-6);
    expect(largestDifference(slopeTo(q!), Tensor.zeros([2, 4]))).toBeLessThan(1e-6);
  });
});

test("follow moves an average in place by 1 − momentum of the way", () => {
  const average = new Map([["w", Tensor.from([1, 1], [2])]]);
  follow(average, new Map([["w", Tensor.from([2, -1], [2])]]), 0.75);
  expect([...average.get("w")!.toFloat32Array()]).toEqual([1.25, 0.5]);
});

describe("spreadOf", () => {
  test("tells pictures that are all sorted alike", () => {
    const one = spreadOf(Tensor.from([1, 0, 0, 1, 0, 0], [2, 3]));
    expect(one.entropyOfMean).toBeCloseTo(0, 5);
    expect(one.meanEntropy).toBeCloseTo(0, 5);
  });

  test("tells pictures that are each spread evenly", () => {
    const even = spreadOf(Tensor.full([2, 3], 1 / 3));
    expect(even.entropyOfMean).toBeCloseTo(1, 5);
    expect(even.meanEntropy).toBeCloseTo(1, 5);
  });

  test("tells the good case from both: each picture sure, all together spread", () => {
    const good = spreadOf(Tensor.from([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]));
    expect(good.entropyOfMean).toBeCloseTo(1, 5);
    expect(good.meanEntropy).toBeCloseTo(0, 5);
  });
});
