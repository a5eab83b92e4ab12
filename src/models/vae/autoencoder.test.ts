import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng, normal, uniform } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { autocast, setThreads } from "../../engine/settings.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { Autoencoder } from "./autoencoder.ts";
import { latentStride, resolveVaeConfig } from "./config.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

setThreads(1); // the networks here are too small for more

const small = resolveVaeConfig({ blockOutChannels: [16, 32, 48], normGroups: 8 });
const tiny = resolveVaeConfig({
  blockOutChannels: [8, 16],
  layersPerBlock: 1,
  normGroups: 4,
  patchSize: 2,
  midAttention: false,
  quantConv: false,
  scalingFactor: 0.5,
});

function golden(): { expected: (name: string) => Tensor; vae: Autoencoder } {
  const stored = loadSafetensors(
    new URL("../../../test/golden/vae/vae.safetensors", import.meta.url).pathname,
  );
  const vae = new Autoencoder(Rng.seed(0), small);
  const weights = [...publicWeights(vae)].map(
    ([name, { shape }]) => [name, formulaTensor(name, shape)] as const,
  );
  loadPublicWeights(vae, new Map(weights), "the formula");
  const expected = (name: string): Tensor => {
    const tensor = stored.get(name);
    if (!tensor) throw new Error(`no golden tensor ${name}`);
    return tensor;
  };
  return { expected, vae };
}

describe("Autoencoder agrees with diffusers", () => {
  // of the largest value; float32 on both sides, and the order of summation differs between machines
  const tolerance = 1e-4;
  const error = (actual: Tensor, reference: Tensor): number => {
    return largestDifference(actual, reference) / reference.abs().max().item();
  };

  test("in what it encodes", () => {
    const { expected, vae } = golden();
    const { mean, logvar } = vae.encode(formulaInput("pixels", [2, 3, 16, 24]));
    expect(error(mean, expected("mean"))).toBeLessThan(tolerance);
    expect(error(logvar, expected("logvar"))).toBeLessThan(tolerance);
  });

  test("in what it decodes", () => {
    const { expected, vae } = golden();
    expect(
      error(vae.decode(formulaInput("latent", [2, 4, 4, 6])), expected("decoded")),
    ).toBeLessThan(tolerance);
  });

  test("in its gradients", () => {
    const { expected, vae } = golden();
    vae.setTrainable(true);
    const pixels = formulaInput("pixels", [2, 3, 16, 24]).setRequiresGrad(true);
    const latent = formulaInput("latent", [2, 4, 4, 6]).setRequiresGrad(true);
    const { mean, logvar } = vae.encode(pixels);
    const decoded = vae.decode(latent).square().mean();
    const loss = decoded.add(mean.square().mean()).add(logvar.square().mean());
    const names = ["encoder.conv_in.weight", "decoder.mid_block.attentions.0.to_q.weight"];
    const weights = names.map((name) => publicWeights(vae).get(name) ?? pixels);
    const found = gradients(loss, [pixels, latent, ...weights]);
    for (const [i, name] of ["pixels", "latent", ...names].entries()) {
      expect(error(found[i] ?? pixels, expected(`gradient.${name}`)), name).toBeLessThan(1e-3);
    }
  });
});

describe("Autoencoder", () => {
  test("turns pixels into latents 'latentStride' times smaller, and back", () => {
    const vae = new Autoencoder(Rng.seed(0), tiny);
    const latent = vae.latent(uniform(Rng.seed(1), [2, 3, 16, 24]));
    expect(latentStride(tiny)).toBe(4);
    expect(latent.shape).toEqual([2, 4, 4, 6]);
    expect(vae.decode(latent).shape).toEqual([2, 3, 16, 24]);
  });

  test("scales its latents by the scaling factor alone when no statistics are given", () => {
    const vae = new Autoencoder(Rng.seed(0), tiny);
    const pixels = uniform(Rng.seed(1), [1, 3, 8, 8]);
    expect(largestDifference(vae.latent(pixels), vae.encode(pixels).mean.mul(0.5))).toBe(0);
  });

  test("draws the same pictures from latents normalised by per-channel statistics", () => {
    const statistics = { latentMean: [0.1, -0.2, 0.3, 0], latentStd: [0.5, 1, 2, 4] };
    const plain = new Autoencoder(Rng.seed(0), tiny);
    const normalised = new Autoencoder(Rng.seed(0), { ...tiny, ...statistics });
    const pixels = uniform(Rng.seed(1), [1, 3, 8, 8]);
    const latent = normalised.latent(pixels);
    const byHand = plain.encode(pixels).mean.narrow(1, 2, 1).sub(0.3).div(2).mul(0.5);
    expect(largestDifference(latent.narrow(1, 2, 1), byHand)).toBeLessThan(1e-6);
    const difference = largestDifference(
      normalised.decode(latent),
      plain.decode(plain.latent(pixels)),
    );
    expect(difference).toBeLessThan(1e-5);
  });

  test("draws latents around the mean, the same for the same source", () => {
    const vae = new Autoencoder(Rng.seed(0), tiny);
    const moments = vae.encode(uniform(Rng.seed(1), [1, 3, 8, 8]));
    const draw = vae.sample(moments, Rng.seed(7));
    const noise = normal(Rng.seed(7), moments.mean.shape);
    const byHand = moments.mean.add(moments.logvar.mul(0.5).exp().mul(noise)).mul(0.5);
    expect(largestDifference(draw, byHand)).toBeLessThan(1e-6);
    expect(largestDifference(draw, vae.sample(moments, Rng.seed(8)))).toBeGreaterThan(1e-3);
  });

  test("stays near its float32 self in bf16, and answers in float32", () => {
    const vae = new Autoencoder(Rng.seed(0), tiny);
    const pixels = uniform(Rng.seed(1), [1, 3, 16, 16]);
    const exact = vae.decode(vae.latent(pixels));
    const rough = autocast("bfloat16", () => vae.decode(vae.latent(pixels)));
    expect(rough.dtype).toBe("float32");
    expect(relativeError(rough, exact)).toBeLessThan(BF16_NETWORK);
  });

  test("refuses pictures that the latent grid does not divide", () => {
    const vae = new Autoencoder(Rng.seed(0), tiny);
    expect(() => vae.encode(uniform(Rng.seed(1), [1, 3, 10, 8]))).toThrow(ShapeError);
    expect(() => vae.encode(uniform(Rng.seed(1), [1, 3, 10, 8]))).toThrow(
      "expected [b 3 h w] with sides divisible by 4, got [1 3 10 8]",
    );
  });

  test("cannot be built from channels that the groups do not divide, or unknown keys", () => {
    expect(() => resolveVaeConfig({ blockOutChannels: [20], normGroups: 8 })).toThrow(ConfigError);
    expect(() => resolveVaeConfig({ latentMean: [0] })).toThrow(
      "expected 4 values in latentMean, got 1",
    );
    expect(() => resolveVaeConfig(JSON.parse('{"inChanels": 3}'))).toThrow("inChanels");
  });
});
