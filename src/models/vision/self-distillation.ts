import { noGrad } from "../../engine/autodiff.ts";
import { dims } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { dispatchRaw, type Float, type Pixels, type Tensor } from "../../engine/tensor.ts";
import { normalInit } from "../../nn/init.ts";
import { Linear, linear } from "../../nn/linear.ts";
import { Module, type Parameters } from "../../nn/module.ts";
import type { VisionTransformer } from "./vision-transformer.ts";

/** Widths of DINO's head. */
export type HeadShape = {
  /** Width of its hidden layers. */
  readonly hidden: number;
  /** Width of the vector that is compared with the prototypes. */
  readonly bottleneck: number;
  /** Directions that pictures are sorted by. */
  readonly prototypes: number;
};

/** DINO's head: three layers, a unit vector, and its cosines with learned directions. */
export class PrototypeHead extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly prototypes: Float<"k d">;

  constructor(rng: Rng, features: number, { hidden, bottleneck, prototypes }: HeadShape) {
    super();
    this.fc1 = new Linear(rng.split("fc1"), features, hidden);
    this.fc2 = new Linear(rng.split("fc2"), hidden, hidden);
    this.fc3 = new Linear(rng.split("fc3"), hidden, bottleneck);
    this.prototypes = normalInit(rng.split("prototypes"), [prototypes, bottleneck], 1);
  }

  /** Cosines in [-1, 1], float32. */
  forward(x: Float<"b d">): Float<"b k"> {
    const hidden = this.fc2.forward(this.fc1.forward(x).gelu()).gelu();
    const compared = unit(this.fc3.forward(hidden).to("float32"));
    return linear(compared, unit(this.prototypes), null).to("float32");
  }
}

/** Vectors along the last axis, brought to length one. */
export function unit(x: Float<"_ d">): Float<"_ d"> {
  return x.div(x.square().sum([-1], { keepDim: true }).add(1e-12).sqrt());
}

/** A vision transformer with DINO's head on its class token: the student, or the teacher. */
export class SortingNetwork extends Module {
  readonly vision: VisionTransformer;
  readonly head: PrototypeHead;

  constructor(rng: Rng, vision: VisionTransformer, shape: HeadShape) {
    super();
    this.vision = vision;
    this.head = new PrototypeHead(rng, vision.config.width, shape);
  }

  forward(pixels: Pixels<"b 3 h w">): Float<"b k"> {
    return this.head.forward(this.vision.forward(pixels).select(1, 0));
  }
}

/**
 * The teacher's sorting: centred, so that no prototype takes all pictures, and sharpened by a low temperature, so that
 * not all take the same share.
 */
export function teacherShares(
  cosines: Float<"b k">,
  centre: Float<"k">,
  temperature: number,
): Float<"b k"> {
  return cosines.sub(centre).div(temperature).softmax(-1);
}

const SINKHORN_ROUNDS = 3;

/**
 * The teacher's sorting, balanced over the batch: every prototype takes about the same share of it.
 *
 * Sinkhorn and Knopp's algorithm in three rounds, as in SwAV (Caron et al., 2020) and DINOv2, where it stands in for the
 * centre: it also works from the first step on, and with small batches.
 */
export function balancedShares(cosines: Float<"b k">, temperature: number): Float<"b k"> {
  const start = cosines.sub(cosines.max()).div(temperature).exp();
  const scaled = (shares: Float<"b k">, axis: 0 | 1): Float<"b k"> =>
    shares.div(shares.sum([axis], { keepDim: true }).add(1e-30));
  return Array.from({ length: SINKHORN_ROUNDS }).reduce<Tensor>(
    (shares) => scaled(scaled(shares, 0), 1),
    start,
  );
}

/**
 * DINO's loss: the mean cross-entropy of every view's sorting with the teacher's of every *other* view.
 *
 * `shares` belong to the first of the `cosines`' views.
 */
export function selfDistillationLoss(
  cosines: readonly Float<"b k">[],
  shares: readonly Float<"b k">[],
  temperature: number,
): Float<""> {
  const sorted = cosines.map((view) => view.div(temperature).logSoftmax(-1));
  const terms = shares.flatMap((target, t) =>
    sorted.filter((_, s) => s !== t).map((view) => target.mul(view).sum([-1]).mean().neg()),
  );
  return terms.reduce((sum, term) => sum.add(term)).div(terms.length);
}

/** Moves `average` towards `weights`, in place: `average ← momentum·average + (1 − momentum)·weights`. */
export function follow(average: Parameters, weights: Parameters, momentum: number): void {
  const targets = [...average.values()];
  const sources = [...average.keys()].map((name) => weights.get(name)!);
  noGrad(() => {
    dispatchRaw("aten::_foreach_mul_.Scalar", targets, momentum);
    dispatchRaw("aten::_foreach_add_.List", targets, sources, 1 - momentum);
  });
}

/**
 * How pictures are spread over the prototypes, as shares of the largest entropy, `log k`.
 *
 * Fewer pictures than prototypes cannot fill them: of m sure ones, `entropyOfMean` is at most `log m / log k`.
 */
export interface Spread {
  /** Entropy of the mean over pictures: near 0 where one prototype takes them all. */
  readonly entropyOfMean: number;
  /** Mean entropy of single pictures: near 1 where every picture is spread evenly. */
  readonly meanEntropy: number;
}

/** The two numbers that reveal both ways to collapse. */
export function spreadOf(shares: Float<"b k">): Spread {
  const { k } = dims(shares, "_ k");
  const entropy = (p: Float): Float => p.mul(p.add(1e-12).log()).sum([-1]).neg().div(Math.log(k));
  return {
    entropyOfMean: entropy(shares.mean([0])).item(),
    meanEntropy: entropy(shares).mean().item(),
  };
}
