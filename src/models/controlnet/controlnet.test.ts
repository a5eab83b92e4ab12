import { describe, expect, test } from "vitest";
import { ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { engineInfo } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { resolveUNetConfig } from "../unet/config.ts";
import { UNet } from "../unet/unet.ts";
import { loadPublicWeights, publicWeights } from "../unet/weights.ts";
import { HintConfig } from "./config.ts";
import { ControlNet } from "./controlnet.ts";
import { VERY_SMALL_UNET as tiny } from "../../../test/support/very-small-unet.ts";

const rgb = HintConfig.parse({ type: "rgb" });
const latent = HintConfig.parse({ type: "latent" });
const latents = normal(Rng.seed(1), [2, 4, 4, 4]);
const labels = Tensor.from([999, 20], [2]);
const text = normal(Rng.seed(2), [2, 3, 6]);

test("ControlNet has exactly the 340 names and shapes of Stable Diffusion 1.5's", () => {
  const controlnet = uninitialised(() => new ControlNet(Rng.seed(0), resolveUNetConfig({}), rgb));
  const weights = publicWeights(controlnet);
  expect(namesOf(weights)).toEqual(listedNames("unet/names-controlnet-sd15.tsv"));
  expect(weights.size).toBe(340);
  expect(controlnet.parameterCount()).toBe(361_279_120);
});

test("ControlNet agrees with diffusers", () => {
  const stored = loadSafetensors(
    new URL("../../../test/golden/unet/unet.safetensors", import.meta.url).pathname,
  );
  const config = resolveUNetConfig({
    blockOutChannels: [16, 32, 32],
    layersPerBlock: 1,
    downBlockTypes: ["crossAttention", "plain", "crossAttention"],
    upBlockTypes: ["crossAttention", "plain", "crossAttention"],
    crossAttentionDim: 12,
    heads: [2, 4, 8],
    normGroups: 8,
  });
  const controlnet = new ControlNet(Rng.seed(0), config, { type: "rgb", channels: [4, 8, 8, 16] });
  const formula = [...publicWeights(controlnet)].map(
    ([name, { shape }]) => [name, formulaTensor(name, shape)] as const,
  );
  loadPublicWeights(controlnet, new Map(formula), "the formula");
  const { down, mid } = controlnet.forward(
    formulaInput("latent", [2, 4, 8, 12]),
    Tensor.from([999, 17], [2]),
    formulaInput("text", [2, 5, 12]),
    formulaInput("hint", [2, 3, 64, 96], 0.5).add(0.5),
  );
  expect(down).toHaveLength(6);
  const named = [...down.map((state, i) => [`down.${i}`, state] as const), ["mid", mid] as const];
  for (const [name, state] of named) {
    const expected = stored.get(name)!;
    // float32 on both sides; the order of summation differs between machines
    const difference = largestDifference(state, expected) / expected.abs().max().item();
    expect(difference, name).toBeLessThan(1e-4);
  }
});

describe.each([
  ["rgb", rgb, normal(Rng.seed(3), [2, 3, 32, 32])],
  ["latent", latent, normal(Rng.seed(3), [2, 4, 4, 4])],
] as const)("ControlNet with an %s hint", (_, config, hint) => {
  const unet = new UNet(Rng.seed(4), tiny);
  const controlnet = ControlNet.fromUNet(Rng.seed(5), unet, config);

  test("starts from the U-Net's encoder, in copies", () => {
    expect(largestDifference(controlnet.convIn.weight, unet.convIn.weight)).toBe(0);
    expect(
      largestDifference(
        controlnet.midBlock.resnets[1].conv2.weight,
        unet.midBlock.resnets[1].conv2.weight,
      ),
    ).toBe(0);
    expect(controlnet.convIn.weight.handle).not.toBe(unet.convIn.weight.handle);
  });

  test("adds nothing to the U-Net at birth", () => {
    const residuals = controlnet.forward(latents, labels, text, hint);
    const steered = unet.forward(latents, labels, text, { residuals });
    expect(largestDifference(steered, unet.forward(latents, labels, text))).toBe(0);
  });

  test("leaves nothing in memory but what it hands on", () => {
    using _scope = tensorScope();
    const before = engineInfo().liveTensors;
    const { down } = controlnet.forward(latents, labels, text, hint);
    expect(engineInfo().liveTensors - before).toBe(down.length + 1);
  });

  test("is all that a gradient reaches", () => {
    controlnet.setTrainable(true);
    const residuals = controlnet.forward(latents, labels, text, hint);
    unet.forward(latents, labels, text, { residuals }).square().mean().backward();
    controlnet.setTrainable(false);
    expect(controlnet.controlnetMidBlock.weight.grad?.norm().item()).toBeGreaterThan(0);
    for (const zero of controlnet.controlnetDownBlocks) {
      expect(zero.weight.grad?.norm().item()).toBeGreaterThan(0);
    }
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test("names a hint of the wrong size", () => {
    expect(() => controlnet.forward(latents, labels, text, hint.narrow(3, 0, 2))).toThrow(
      ShapeError,
    );
    expect(() => controlnet.forward(latents, labels, text, hint.narrow(3, 0, 2))).toThrow(
      /expected a hint that becomes \[2 8 4 4\]/,
    );
  });
});

test("ControlNet reads the hint, the text and the task once it is trained", () => {
  const controlnet = new ControlNet(Rng.seed(6), tiny, latent);
  for (const [name, weight] of controlnet.parameters()) {
    weight.copyFrom(formulaTensor(name, weight.shape));
  }
  const mid = (textScale: number, hintScale: number, shift: number): Tensor => {
    const timeShift = Tensor.full([2, 32], shift);
    const hint = latents.mul(hintScale);
    return controlnet.forward(latents, labels, text.mul(textScale), hint, { timeShift }).mid;
  };
  const base = mid(1, 1, 0);
  expect(largestDifference(mid(2, 1, 0), base)).toBeGreaterThan(1e-3);
  expect(largestDifference(mid(1, 2, 0), base)).toBeGreaterThan(1e-3);
  expect(largestDifference(mid(1, 1, 1), base)).toBeGreaterThan(1e-3);
});

test("a ControlNet on squares of latents answers in the states of its U-Net", () => {
  const config = { ...tiny, patchSize: 2 };
  const unet = new UNet(Rng.seed(3), config);
  const controlnet = ControlNet.fromUNet(Rng.seed(4), unet, latent);
  const wide = normal(Rng.seed(1), [2, 4, 8, 8]);
  const hint = normal(Rng.seed(5), [2, 4, 8, 8]);
  const residuals = controlnet.forward(wide, labels, text, hint);
  expect(residuals.mid.shape).toEqual([2, 16, 2, 2]);
  const plain = unet.forward(wide, labels, text);
  expect(largestDifference(unet.forward(wide, labels, text, { residuals }), plain)).toBe(0);
});
