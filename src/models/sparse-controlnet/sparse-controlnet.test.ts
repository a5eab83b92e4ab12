import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import {
  MOTION_CLIPS,
  MOTION_UNET,
  formulaWeights,
  motionGolden,
  motionInputs,
} from "../../../test/support/motion-golden.ts";
import { copyPublicWeights, publicWeights } from "../public-weights/layout.ts";
import { resolveUNetConfig } from "../unet/config.ts";
import { SparseControlConfig } from "./config.ts";
import { SparseControlNet, sparseCondition } from "./sparse-controlnet.ts";
import { SPARSE_CONTROLNET_LAYOUT as layout, parsePublicConfig } from "./weights.ts";

type Statistics = SparseControlConfig["motion"]["statistics"];

function trained(statistics: Statistics = "frame"): SparseControlNet {
  const motion = { maxFrames: 8, heads: [2, 4], statistics };
  const network = new SparseControlNet(
    Rng.seed(0),
    MOTION_UNET,
    SparseControlConfig.parse({ motion }),
  );
  copyPublicWeights(network, formulaWeights(publicWeights(network, layout)), layout, "the formula");
  return network;
}

const clip = MOTION_CLIPS["2x3x4x6"];
const frames = clip[1];
const { t, text } = motionInputs(clip);
const condition = sparseCondition(normal(Rng.seed(1), [2, 4, 4, 6]), [0], frames);

describe("SparseControlNet agrees with the reference", () => {
  const expected = motionGolden("motion");
  const cases = (["frame", "clip"] as const).flatMap((statistics) =>
    Object.entries(MOTION_CLIPS).map(([name, sizes]) => ({ statistics, name, sizes })),
  );

  test.each(cases)(
    "in all residuals: statistics per $statistics, on $name",
    ({ statistics, name, sizes }) => {
      const [b, f, h, w] = sizes;
      const inputs = motionInputs(sizes);
      const known = formulaInput("condition", [2 * b, 4, h, w]);
      const shown = sparseCondition(known, [0, f - 1], f);
      const network = trained(statistics);
      const { down, mid } = network.forward(inputs.t, inputs.text, shown, { frames: f });
      const found = [
        ...down.map((state, i) => [`down.${i}`, state] as const),
        ["mid", mid],
      ] as const;
      expect(found).toHaveLength(5);
      for (const [place, state] of found) {
        const golden = expected(`sparse.${statistics}.${name}.${place}`);
        // float32 on both sides; the order of summation differs between machines
        const difference = largestDifference(state, golden) / golden.abs().max().item();
        expect(difference, place).toBeLessThan(1e-4);
      }
    },
  );
});

describe("SparseControlNet", () => {
  test("tells a U-Net nothing until it is trained", () => {
    const fresh = new SparseControlNet(
      Rng.seed(2),
      MOTION_UNET,
      SparseControlConfig.parse({ motion: { heads: 4 } }),
    );
    const { down, mid } = fresh.forward(t, text, condition, { frames });
    for (const state of [...down, mid]) expect(state.abs().max().item()).toBe(0);
  });

  test("carries what it is shown to frames that it is not shown", () => {
    const network = trained();
    const brighter = sparseCondition(normal(Rng.seed(1), [2, 4, 4, 6]).mul(2), [0], frames);
    const last = (shown: Tensor): Tensor =>
      network.forward(t, text, shown, { frames }).mid.narrow(0, frames - 1, 1);
    expect(largestDifference(last(brighter), last(condition))).toBeGreaterThan(1e-3);
  });

  test("passes a gradient to every weight that sees anything", () => {
    const network = trained().setTrainable(true);
    const { down, mid } = network.forward(t, text, condition, { frames });
    const loss = [...down, mid]
      .map((state) => state.square().mean())
      .reduce((sum, term) => sum.add(term));
    const weights = [...network.parameters()];
    const found = gradients(
      loss,
      weights.map(([, weight]) => weight),
    );
    const untouched = weights
      .filter((_, i) => !(found[i] && found[i].norm().item() > 0))
      .map(([name]) => name);
    expect(untouched.filter((name) => !name.endsWith(".pe"))).toEqual(["controlNet.convIn.weight"]);
  });

  test("stays close to float32 under bf16 autocast and answers in float32", () => {
    const network = trained();
    const run = (): Tensor => network.forward(t, text, condition, { frames }).mid;
    const rounded = autocast("bfloat16", run);
    expect(rounded.dtype).toBe("float32");
    expect(relativeError(rounded, run())).toBeLessThan(BF16_NETWORK);
  });

  test("names a condition that does not fit, and clips that are too long", () => {
    const network = trained();
    expect(() => network.forward(t, text, condition.narrow(1, 0, 4), { frames })).toThrow(
      new ShapeError("expected a condition [(b 3) 5 h w], got [6 4 4 6]"),
    );
    expect(() => network.forward(t, text, condition, { frames: 4 })).toThrow(ShapeError);
    const long = sparseCondition(normal(Rng.seed(1), [1, 4, 4, 6]), [0], 9);
    expect(() => network.forward(t, text, long, { frames: 9 })).toThrow(ConfigError);
  });
});

describe("sparseCondition", () => {
  test("puts latents and ones where the known frames are, zeros elsewhere", () => {
    const latents = normal(Rng.seed(3), [4, 2, 1, 1]);
    const made = sparseCondition(latents, [2, 0], 3);
    expect(made.shape).toEqual([6, 3, 1, 1]);
    expect([...made.select(1, 2).toFloat32Array()]).toEqual([1, 0, 1, 1, 0, 1]);
    const values = (x: Tensor): number[] => [...x.narrow(1, 0, 2).toFloat32Array()];
    expect(values(made.narrow(0, 2, 1))).toEqual(values(latents.narrow(0, 0, 1)));
    expect(values(made.narrow(0, 3, 1))).toEqual(values(latents.narrow(0, 3, 1)));
    expect(values(made.narrow(0, 1, 1))).toEqual([0, 0]);
  });

  test.each([
    [[], /expected the numbers of different frames, 0 to 2, got \[\]/],
    [[0, 0], /different frames/],
    [[3], /0 to 2, got \[3\]/],
    [[0, 1, 2], /expected latents of 3 known frames for each clip, got 4 latents/],
  ])("refuses frames %o", (known, message) => {
    expect(() => sparseCondition(Tensor.zeros([4, 2, 1, 1]), known, 3)).toThrow(message);
  });
});

describe("parsePublicConfig", () => {
  const published = {
    _class_name: "SparseControlNetModel",
    act_fn: "silu",
    attention_head_dim: 8,
    block_out_channels: [320, 640, 1280, 1280],
    concat_conditioning_mask: true,
    conditioning_channels: 4,
    controlnet_conditioning_channel_order: "rgb",
    cross_attention_dim: 768,
    down_block_types: [
      "CrossAttnDownBlockMotion",
      "CrossAttnDownBlockMotion",
      "CrossAttnDownBlockMotion",
      "DownBlockMotion",
    ],
    global_pool_conditions: false,
    in_channels: 4,
    layers_per_block: 2,
    motion_max_seq_length: 32,
    motion_num_attention_heads: 8,
    norm_num_groups: 32,
    temporal_transformer_layers_per_block: 1,
    transformer_layers_per_mid_block: null,
    use_simplified_condition_embedding: true,
  };

  test("reads the settings of SparseCtrl-RGB as the defaults", () => {
    expect(parsePublicConfig(published)).toEqual({
      encoder: resolveUNetConfig({}),
      sparse: SparseControlConfig.parse({}),
    });
  });

  test("refuses the scribble variant, which reads pixels", () => {
    const scribble = { ...published, use_simplified_condition_embedding: false };
    expect(() => parsePublicConfig(scribble)).toThrow(
      new ConfigError("expected use_simplified_condition_embedding true in config.json, got false"),
    );
  });
});
