import { describe, expect, test, vi } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import { MOTION_UNET, formulaWeights, motionGolden } from "../../../test/support/motion-golden.ts";
import { guided } from "../../diffusion/guidance.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { createSchedule, matchTime } from "../../diffusion/schedule.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { ControlNet } from "../../models/controlnet/controlnet.ts";
import { resolveMotionConfig } from "../../models/motion/config.ts";
import { MotionAdapter } from "../../models/motion/motion-adapter.ts";
import {
  copyPublicWeights,
  publicWeights,
  type PublicLayout,
} from "../../models/public-weights/layout.ts";
import { SparseControlConfig } from "../../models/sparse-controlnet/config.ts";
import { SparseControlNet } from "../../models/sparse-controlnet/sparse-controlnet.ts";
import { SPARSE_CONTROLNET_LAYOUT } from "../../models/sparse-controlnet/weights.ts";
import { UNet } from "../../models/unet/unet.ts";
import { UNET_LAYOUT } from "../../models/unet/weights.ts";
import type { Module } from "../../nn/module.ts";
import {
  adaptedDenoiser,
  editTeacher,
  stacked,
  stackedCondition,
  stackedNetwork,
  videoTeacher,
  type Networks,
  type StackedCondition,
} from "../stack/teachers.ts";
import { PublicEditAdapter, PublicVideoAdapter } from "./public-adapters.ts";

const frames = 4;
const [h, w] = [4, 6];
const expected = motionGolden("pipelines");

function filled<Network extends Module>(
  network: Network,
  layout: PublicLayout = UNET_LAYOUT,
): Network {
  const weights = formulaWeights(publicWeights(network, layout));
  copyPublicWeights(network, weights, layout, "the formula");
  return network;
}

const seed = Rng.seed(0);
const motionConfig = resolveMotionConfig({
  blockOutChannels: [16, 32],
  layersPerBlock: 1,
  normGroups: 8,
  heads: 4,
  maxFrames: 8,
});
const sparseConfig = SparseControlConfig.parse({ motion: { heads: 4, maxFrames: 8 } });
const networks: Networks & { readonly editAdapter: PublicEditAdapter } = {
  unet: filled(new UNet(seed, MOTION_UNET)),
  editAdapter: new PublicEditAdapter(
    filled(new ControlNet(seed, MOTION_UNET, { type: "rgb", channels: [4, 8, 8, 16] })),
  ),
  videoAdapter: new PublicVideoAdapter(
    filled(new MotionAdapter(seed, motionConfig)),
    filled(new SparseControlNet(seed, MOTION_UNET, sparseConfig), SPARSE_CONTROLNET_LAYOUT),
  ),
  schedule: createSchedule({ kind: "linear" }),
  kind: "noise",
};
const prompt = formulaInput("prompt", [1, 5, 12]);
const condition = stackedCondition(
  {
    caption: prompt,
    instruction: prompt,
    tasks: Tensor.zeros([1], "int64"),
    input: Tensor.zeros([frames, 4, h, w]),
    hint: formulaInput("hint", [frames, 3, 8 * h, 8 * w], 0.5).add(0.5),
    firstFrame: null,
  },
  formulaInput("nothing", [1, 5, 12]),
);

/** Four steps of DDIM as the reference's pipelines take them, in float32. */
function draw(given: StackedCondition): Tensor {
  const denoiser = guided(adaptedDenoiser(networks, stackedNetwork(networks)), {
    scale: 7.5,
    unconditional: (full: StackedCondition) => full.withoutText(),
  });
  const noise = formulaInput("noise", [frames, 4, h, w]);
  const { schedule } = networks;
  return finish(
    ddim(denoiser, noise, given, { schedule, steps: 4, spacing: "leading", offset: 1 }),
  );
}

describe("public adapters in teachers and stack", () => {
  // Four steps, with guidance that multiplies errors by 7.5; the reference keeps its schedule in float32.
  const tolerance = 1e-3;

  test("stacked, edit the clip that the reference's AnimateDiff pipeline with a ControlNet edits", () => {
    expect(largestDifference(draw(condition), expected("edited"))).toBeLessThan(tolerance);
  });

  test("without a picture, complete the clip that the reference's pipeline with SparseCtrl completes", () => {
    const known = { ...condition, hint: null, firstFrame: formulaInput("known", [1, 4, h, w]) };
    const given = stackedCondition(known, formulaInput("nothing", [1, 5, 12]));
    expect(largestDifference(draw(given), expected("completed"))).toBeLessThan(tolerance);
  });

  test("add what the ControlNet and what SparseCtrl say, and neither alone is the stack", () => {
    const known = stackedCondition(
      { ...condition, firstFrame: formulaInput("known", [1, 4, h, w]) },
      prompt,
    );
    const xt = normal(Rng.seed(1), [frames, 4, h, w]);
    const both = stacked(networks).predict(xt, 400, known).x0;
    for (const given of [condition, { ...known, hint: null }])
      expect(largestDifference(both, stacked(networks).predict(xt, 400, given).x0)).toBeGreaterThan(
        1e-3,
      );
  });

  test("without a picture are the motion modules alone", () => {
    const xt = normal(Rng.seed(1), [frames, 4, h, w]);
    const blind = condition.withoutImage();
    const drawn = stacked(networks).predict(xt, 400, blind).x0;
    expect(largestDifference(drawn, videoTeacher(networks).predict(xt, 400, blind).x0)).toBe(0);
  });
});

describe("noise levels", () => {
  const imageSchedule = createSchedule({ kind: "scaled_linear" });
  const own = { ...networks, imageSchedule };
  const xt = normal(Rng.seed(1), [frames, 4, h, w]);
  const labelsIn = (make: typeof stacked): { backbone: number; control: number } => {
    const backbone = vi.spyOn(own.unet, "forward");
    const control = vi.spyOn(own.editAdapter.controlNet, "forward");
    make(own).predict(xt, 500, condition);
    const [ofBackbone, ofControl] = [backbone.mock.calls[0]![1], control.mock.calls[0]![1]];
    vi.restoreAllMocks();
    return { backbone: ofBackbone.max().item(), control: ofControl.max().item() };
  };

  test("have labels of equal ᾱ: the ControlNet's own, and for the backbone the motion modules'", () => {
    const matched = matchTime(own.schedule, 500, imageSchedule);
    expect(Math.round(matched)).toBe(600);
    const labels = labelsIn(stacked);
    expect(labels.backbone).toBe(500);
    // labels are float32
    expect(labels.control).toBeCloseTo(matched, 3);
  });

  test("have the backbone's own label where no motion module stands in it", () => {
    const { backbone, control } = labelsIn((given) => editTeacher(given));
    expect(backbone).toBe(control);
    expect(Math.round(backbone)).toBe(600);
  });
});

test("pixels that are missing beside latents are asked for, not left out", () => {
  const { hint: _, ...blind } = condition;
  const xt = normal(Rng.seed(1), [frames, 4, h, w]);
  expect(() => editTeacher(networks).predict(xt, 400, blind)).toThrow(
    "expected the input frames' pixels as hint beside their latents, or null for none",
  );
});
