import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { rearrange } from "../../engine/axes.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { autocast, engineInfo } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Lora } from "../../nn/lora.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { ControlNet } from "../controlnet/controlnet.ts";
import { resolveUNetConfig } from "./config.ts";
import { UNet, isTransformerLinear } from "./unet.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";
import { VERY_SMALL_UNET as tiny } from "../../../test/support/very-small-unet.ts";

const reference = resolveUNetConfig({
  blockOutChannels: [16, 32, 32],
  layersPerBlock: 1,
  downBlockTypes: ["crossAttention", "plain", "crossAttention"],
  upBlockTypes: ["crossAttention", "plain", "crossAttention"],
  crossAttentionDim: 12,
  heads: [2, 4, 8],
  normGroups: 8,
});
const latents = normal(Rng.seed(1), [4, 4, 4, 4]);
const labels = Tensor.from([999, 500, 20, 0], [4]);
const text = normal(Rng.seed(2), [4, 3, 6]);

function relative(actual: Tensor, expected: Tensor): number {
  return largestDifference(actual, expected) / expected.abs().max().item();
}

describe("UNet agrees with diffusers", () => {
  const stored = loadSafetensors(
    new URL("../../../test/golden/unet/unet.safetensors", import.meta.url).pathname,
  );
  const expected = (name: string): Tensor => stored.get(name)!;
  const unet = new UNet(Rng.seed(0), reference);
  const weights = publicWeights(unet);
  loadPublicWeights(
    unet,
    new Map([...weights].map(([name, { shape }]) => [name, formulaTensor(name, shape)])),
    "the formula",
  );
  const x = formulaInput("latent", [2, 4, 8, 12]);
  const tokens = formulaInput("text", [2, 5, 12]);
  const t = Tensor.from([999, 17], [2]);
  // float32 on both sides; the order of summation differs between machines
  const tolerance = 1e-4;

  test("in its time vector", () => {
    expect(relative(unet.timeEmbedding.forward(t), expected("time"))).toBeLessThan(tolerance);
  });

  test("in its prediction", () => {
    expect(relative(unet.forward(x, t, tokens), expected("plain"))).toBeLessThan(tolerance);
  });

  test("in its prediction with a ControlNet's residuals", () => {
    const down = Array.from({ length: 6 }, (_, i) => expected(`down.${i}`));
    const steered = unet.forward(x, t, tokens, { residuals: { down, mid: expected("mid") } });
    expect(relative(steered, expected("steered"))).toBeLessThan(tolerance);
  });

  test("in its gradients", () => {
    unet.setTrainable(true);
    const names = [...stored.keys()].filter((name) => /^gradient\..*weight$/.test(name));
    const inputs = [x.setRequiresGrad(true), tokens.setRequiresGrad(true)];
    const leaves = names.map((name) => weights.get(name.replace("gradient.", ""))!);
    const loss = unet.forward(x, t, tokens).square().mean();
    const found = gradients(loss, [...inputs, ...leaves]);
    unet.setTrainable(false);
    expect(names).toHaveLength(4);
    for (const [i, name] of ["gradient.latent", "gradient.text", ...names].entries()) {
      expect(relative(found[i]!, expected(name)), name).toBeLessThan(1e-3);
    }
  });
});

describe("UNet", () => {
  const unet = new UNet(Rng.seed(3), tiny);
  const plain = unet.forward(latents, labels, text);

  test("treats every entry of the batch by itself", () => {
    const alone = unet.forward(
      latents.narrow(0, 2, 1),
      labels.narrow(0, 2, 1),
      text.narrow(0, 2, 1),
    );
    expect(largestDifference(alone, plain.narrow(0, 2, 1))).toBeLessThan(1e-5);
  });

  test("shares one text among consecutive entries", () => {
    const perClip = text.narrow(0, 0, 2);
    const repeated = unet.forward(latents, labels, perClip.repeatInterleave(2, 0));
    expect(largestDifference(unet.forward(latents, labels, perClip), repeated)).toBeLessThan(1e-5);
  });

  test("leaves nothing in memory but its prediction, with residuals or without", () => {
    using _ = tensorScope();
    const { down, mid } = new ControlNet(Rng.seed(5), tiny, {
      type: "latent",
      channels: 4,
    }).forward(latents, labels, text, latents);
    for (const residuals of [undefined, { down, mid }]) {
      const before = engineInfo().liveTensors;
      unet.forward(latents, labels, text, { ...(residuals && { residuals }) });
      expect(engineInfo().liveTensors - before).toBe(1);
    }
  });

  test("reads the text and the time", () => {
    expect(largestDifference(unet.forward(latents, labels, text.mul(2)), plain)).toBeGreaterThan(
      1e-4,
    );
    expect(largestDifference(unet.forward(latents, labels.add(1), text), plain)).toBeGreaterThan(
      1e-6,
    );
  });

  test("stays close to float32 under bf16 autocast and answers in float32", () => {
    const rounded = autocast("bfloat16", () => unet.forward(latents, labels, text));
    expect(rounded.dtype).toBe("float32");
    expect(relativeError(rounded, plain)).toBeLessThan(BF16_NETWORK);
  });

  test("is the same with a fresh LoRA, and learns through it alone", () => {
    const lora = new Lora(Rng.seed(4), unet, { rank: 2, targets: isTransformerLinear });
    expect(lora.size).toBe(40);
    const adapted = unet.forward(latents, labels, text, { lora: lora.on(unet) });
    expect(largestDifference(adapted, plain)).toBe(0);
    lora.setTrainable(true);
    unet
      .forward(latents, labels, text, { lora: lora.on(unet) })
      .square()
      .mean()
      .backward();
    const withGradient = [...lora.parameters()].filter(([, weight]) => weight.grad !== null);
    expect(withGradient).toHaveLength(80);
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test("refuses latents it has no network for", () => {
    expect(() => unet.forward(latents.narrow(2, 0, 3), labels, text)).toThrow(
      new ShapeError("expected [b 4 h w] with h and w divisible by 2, got [4 4 3 4]"),
    );
    const residuals = { down: [], mid: latents };
    expect(() => unet.forward(latents, labels, text, { residuals })).toThrow(
      /expected 4 residuals for the way down, got 0/,
    );
  });
});

describe("resolveUNetConfig", () => {
  test.each([
    [{ blockOutChannels: [32] }, /expected 1 entries in downBlockTypes, one per level, got 4/],
    [{ heads: 7 }, /expected 320 channels to divide by 7 heads/],
    [{ heads: [8] }, /expected 4 entries in heads/],
  ])("refuses %o", (input, message) => {
    expect(() => resolveUNetConfig(input)).toThrow(ConfigError);
    expect(() => resolveUNetConfig(input)).toThrow(message);
  });
});

test("a U-Net with a patch size is the one without, on squares of latents as channels", () => {
  const patched = new UNet(Rng.seed(3), { ...tiny, patchSize: 2 });
  const inner = new UNet(Rng.seed(3), { ...tiny, inChannels: 16, outChannels: 16 });
  const wide = normal(Rng.seed(1), [4, 4, 8, 8]);
  const squares = rearrange(wide, "b c (h p) (w q) -> b (c p q) h w", { p: 2, q: 2 });
  const answer = inner.forward(squares, labels, text);
  const expected = rearrange(answer, "b (c p q) h w -> b c (h p) (w q)", { p: 2, q: 2 });
  expect(largestDifference(patched.forward(wide, labels, text), expected)).toBeLessThan(1e-5);
  expect(() => patched.forward(normal(Rng.seed(1), [4, 4, 6, 6]), labels, text)).toThrow(
    /divisible by 4/,
  );
});
