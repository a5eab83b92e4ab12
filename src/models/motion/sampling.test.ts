import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import type { Float } from "../../engine/tensor.ts";
import type { Module } from "../../nn/module.ts";
import { networkDenoiser, type Network } from "../../diffusion/denoiser.ts";
import { guided } from "../../diffusion/guidance.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import { MOTION_UNET, formulaWeights, motionGolden } from "../../../test/support/motion-golden.ts";
import { ControlNet } from "../controlnet/controlnet.ts";
import { SparseControlConfig } from "../sparse-controlnet/config.ts";
import { SparseControlNet, sparseCondition } from "../sparse-controlnet/sparse-controlnet.ts";
import { SPARSE_CONTROLNET_LAYOUT } from "../sparse-controlnet/weights.ts";
import { copyPublicWeights, publicWeights, type PublicLayout } from "../public-weights/layout.ts";
import { UNet, type Residuals } from "../unet/unet.ts";
import { UNET_LAYOUT } from "../unet/weights.ts";
import { resolveMotionConfig } from "./config.ts";
import { MotionAdapter } from "./motion-adapter.ts";

const frames = 4;
const [h, w] = [4, 6];
const expected = motionGolden("pipelines");

function fillByFormula(network: Module, layout: PublicLayout = UNET_LAYOUT): void {
  const weights = formulaWeights(publicWeights(network, layout));
  copyPublicWeights(network, weights, layout, "the formula");
}

const unet = new UNet(Rng.seed(0), MOTION_UNET);
fillByFormula(unet);
const adapter = new MotionAdapter(
  Rng.seed(0),
  resolveMotionConfig({
    blockOutChannels: [16, 32],
    layersPerBlock: 1,
    normGroups: 8,
    heads: 4,
    maxFrames: 8,
  }),
);
fillByFormula(adapter);

/** Four steps of guided DDIM with the motion adapter and what `control` adds. */
function draw(
  control: (xt: Float<"f c h w">, t: Float<"f">, text: Float<"1 n d">) => Residuals,
): Float<"f c h w"> {
  const schedule = createSchedule({ kind: "linear" });
  const network: Network<Float<"1 n d">> = (xt, t, text) =>
    unet.forward(xt, t, text, {
      residuals: control(xt, t, text),
      temporal: adapter.on(unet, { frames }),
    });
  const denoiser = guided(networkDenoiser({ schedule, kind: "noise", network }), {
    scale: 7.5,
    unconditional: () => formulaInput("nothing", [1, 5, 12]),
  });
  const noise = formulaInput("noise", [frames, 4, h, w]);
  const steps = { schedule, steps: 4, spacing: "leading", offset: 1 } as const;
  return finish(ddim(denoiser, noise, formulaInput("prompt", [1, 5, 12]), steps));
}

// Four steps, with guidance that multiplies errors by 7.5; the reference keeps its schedule in float32.
const tolerance = 1e-3;

test("a clip edited under a ControlNet is the one that the reference's pipeline draws", () => {
  const controlNet = new ControlNet(Rng.seed(0), MOTION_UNET, {
    type: "rgb",
    channels: [4, 8, 8, 16],
  });
  fillByFormula(controlNet);
  const hint = formulaInput("hint", [frames, 3, 8 * h, 8 * w], 0.5).add(0.5);
  const drawn = draw((xt, t, text) => controlNet.forward(xt, t, text, hint));
  expect(largestDifference(drawn, expected("edited"))).toBeLessThan(tolerance);
});

test("a clip completed from its first frame is the one that the reference's pipeline draws", () => {
  const settings = SparseControlConfig.parse({ motion: { heads: 4, maxFrames: 8 } });
  const network = new SparseControlNet(Rng.seed(0), MOTION_UNET, settings);
  fillByFormula(network, SPARSE_CONTROLNET_LAYOUT);
  const condition = sparseCondition(formulaInput("known", [1, 4, h, w]), [0], frames);
  const drawn = draw((_, t, text) => network.forward(t, text, condition, { frames }));
  expect(largestDifference(drawn, expected("completed"))).toBeLessThan(tolerance);
});
