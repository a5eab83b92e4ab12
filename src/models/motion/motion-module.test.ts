import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import { MOTION_CLIPS, formulaWeights, motionGolden } from "../../../test/support/motion-golden.ts";
import { loadPublicWeights, publicWeights } from "../unet/weights.ts";
import { MotionModule, type MotionShape } from "./motion-module.ts";

const shape: MotionShape = {
  heads: 4,
  groups: 8,
  maxFrames: 8,
  transformerLayers: 1,
  statistics: "frame",
  attentions: 2,
};
const f = 3;

/** A module of 16 channels on formula weights. */
function trained(changes: Partial<MotionShape> = {}): MotionModule {
  const motion = new MotionModule(Rng.seed(0), 16, { ...shape, ...changes });
  loadPublicWeights(motion, formulaWeights(publicWeights(motion)), "the formula");
  return motion;
}

function relative(actual: Tensor, expected: Tensor): number {
  return largestDifference(actual, expected) / expected.abs().max().item();
}

describe("MotionModule agrees with the reference", () => {
  const expected = motionGolden("motion");
  // float32 on both sides; the order of summation differs between machines
  const tolerance = 1e-4;
  const clips = { ...MOTION_CLIPS, "3x1x2x2": [3, 1, 2, 2], "1x8x3x1": [1, 8, 3, 1] } as const;
  const cases = ([1, 2] as const).flatMap((attentions) =>
    (["frame", "clip"] as const).flatMap((statistics) =>
      Object.entries(clips).map(([name, clip]) => ({ attentions, statistics, name, clip })),
    ),
  );

  test.each(cases)(
    "with $attentions attentions and statistics per $statistics, on $name",
    ({ attentions, statistics, name, clip: [b, frames, h, w] }) => {
      const states = formulaInput("states", [b * frames, 16, h, w]);
      const found = trained({ attentions, statistics }).forward(states, frames);
      const golden = expected(`module.${attentions}.${statistics}.${name}`);
      expect(relative(found, golden)).toBeLessThan(tolerance);
    },
  );

  test("with a table of positions that a file brings", () => {
    const motion = trained({ statistics: "clip" });
    const table = formulaInput("table", [1, 8, 16]);
    const weights = formulaWeights(publicWeights(motion));
    weights.set("transformer_blocks.0.pos_embed.pe", table);
    loadPublicWeights(motion, weights, "a file");
    const found = motion.forward(formulaInput("states", [6, 16, 4, 6]), f);
    expect(relative(found, expected("module.table"))).toBeLessThan(tolerance);
  });
});

describe.each(["frame", "clip"] as const)("MotionModule with statistics per %s", (statistics) => {
  const h = normal(Rng.seed(1), [2 * f, 16, 2, 2]);

  test("is the identity until it is trained, bit for bit, in bf16 too", () => {
    const fresh = new MotionModule(Rng.seed(0), 16, { ...shape, statistics });
    expect(largestDifference(fresh.forward(h, f), h)).toBe(0);
    autocast("bfloat16", () => expect(largestDifference(fresh.forward(h, f), h)).toBe(0));
  });

  test("keeps clips apart", () => {
    const motion = trained({ statistics });
    const both = motion.forward(h, f);
    const second = motion.forward(h.narrow(0, f, f), f);
    expect(largestDifference(second, both.narrow(0, f, f))).toBeLessThan(1e-5);
  });

  test("knows the order of frames", () => {
    const motion = trained({ statistics });
    const backwards = Tensor.from([2, 1, 0], [3], "int64");
    const clip = h.narrow(0, 0, f);
    const turned = motion.forward(clip.indexSelect(0, backwards), f).indexSelect(0, backwards);
    expect(largestDifference(turned, motion.forward(clip, f))).toBeGreaterThan(1e-3);
  });

  test("has the gradients finite differences say it has", () => {
    const motion = trained({ statistics }).setTrainable(true);
    const weights = [...motion.parameters()].filter(([name]) => !name.endsWith(".pe"));
    const leaves = [h.clone().setRequiresGrad(true), ...weights.map(([, weight]) => weight)];
    const seed = formulaInput("seed", h.shape, 0.1);
    const loss = (): Tensor => motion.forward(leaves[0]!, f).mul(seed).sum();
    const found = gradients(loss(), leaves);
    for (const [index, leaf] of leaves.entries()) {
      const direction = formulaInput(`direction ${index}`, leaf.shape);
      const slope = found[index]!.mul(direction).sum().item();
      const step = 3e-3;
      const before = leaf.detach().clone();
      const moved = (by: number): number => {
        leaf.detach().copyFrom(before.addScaled(direction, by));
        return loss().item();
      };
      const difference = (moved(step) - moved(-step)) / (2 * step);
      leaf.detach().copyFrom(before);
      // float32 losses of about 1 leave differences of 1e-4 at this step
      expect(Math.abs(slope - difference), `leaf ${index}`).toBeLessThan(
        1e-3 + 0.02 * Math.abs(difference),
      );
    }
  });

  test("stays close to float32 under bf16 autocast and answers in float32", () => {
    const motion = trained({ statistics });
    const rounded = autocast("bfloat16", () => motion.forward(h, f));
    expect(rounded.dtype).toBe("float32");
    expect(relativeError(rounded, motion.forward(h, f))).toBeLessThan(BF16_NETWORK);
  });
});

test("what is far away moves nothing where statistics are per frame and the other frames hold still", () => {
  const h = normal(Rng.seed(3), [f, 16, 2, 2]);
  const louder = Tensor.cat([h.narrow(0, 0, 2), h.narrow(0, 2, 1).mul(3)], 0);
  const norm = (statistics: "frame" | "clip", states: Tensor): Tensor => {
    const motion = trained({ statistics });
    // without attention's values only the module's own normalisation is left to carry anything along time
    for (const name of ["attn1", "attn2"] as const) {
      const out = motion.transformerBlocks[0]![name]!.toOut;
      out.weight.copyFrom(Tensor.zeros(out.weight.shape));
    }
    return motion.forward(states, f).narrow(0, 0, 2);
  };
  expect(largestDifference(norm("frame", louder), norm("frame", h))).toBe(0);
  expect(largestDifference(norm("clip", louder), norm("clip", h))).toBeGreaterThan(1e-2);
});

test("positions are sines and cosines in turn", () => {
  const { pe } = trained().transformerBlocks[0]!.posEmbed;
  const at = (position: number, channel: number): number =>
    pe.select(0, 0).select(0, position).select(0, channel).item();
  expect(at(5, 0)).toBeCloseTo(Math.sin(5), 6);
  expect(at(5, 1)).toBeCloseTo(Math.cos(5), 6);
  expect(at(5, 6)).toBeCloseTo(Math.sin(5 * 10_000 ** (-6 / 16)), 6);
  expect(at(5, 7)).toBeCloseTo(Math.cos(5 * 10_000 ** (-6 / 16)), 6);
});

test("no gradient reaches the positions", () => {
  const motion = trained().setTrainable(true);
  motion
    .forward(normal(Rng.seed(1), [f, 16, 2, 2]), f)
    .square()
    .sum()
    .backward();
  expect(motion.transformerBlocks[0]!.posEmbed.pe.grad).toBeNull();
});
