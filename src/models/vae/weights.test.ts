import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { Rng, uniform } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { Autoencoder } from "./autoencoder.ts";
import { resolveVaeConfig } from "./config.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

const small = resolveVaeConfig({ blockOutChannels: [8, 16], layersPerBlock: 1, normGroups: 4 });

describe("publicWeights", () => {
  test("has exactly the 248 names and shapes of Stable Diffusion 1.5", () => {
    const vae = uninitialised(() => new Autoencoder(Rng.seed(0), resolveVaeConfig({})));
    const names = namesOf(publicWeights(vae));
    expect(names).toHaveLength(248);
    expect(names).toEqual(listedNames("vae/names-sd15.tsv"));
    expect(vae.parameterCount()).toBe(83_653_863);
  });
});

describe("loadPublicWeights", () => {
  const legacy = (name: string): string => {
    return name
      .replace(/to_q\./, "query.")
      .replace(/to_k\./, "key.")
      .replace(/to_v\./, "value.")
      .replace(/to_out\.0\./, "proj_attn.");
  };

  test("reads attention under its old names, as matrices or as 1×1 convolutions", () => {
    const original = new Autoencoder(Rng.seed(1), small);
    const pixels = uniform(Rng.seed(2), [1, 3, 8, 8]);
    const expected = original.encode(pixels).mean;
    const asConvolution = (weight: Tensor): Tensor => weight.reshape([...weight.shape, 1, 1]);
    const old = [...publicWeights(original)].map(([name, weight]) => {
      const isMatrix = legacy(name) !== name && weight.shape.length === 2;
      return { name: legacy(name), weight, convolution: isMatrix ? asConvolution(weight) : weight };
    });
    for (const form of ["weight", "convolution"] as const) {
      const vae = new Autoencoder(Rng.seed(3), small);
      loadPublicWeights(vae, new Map(old.map((entry) => [entry.name, entry[form]])), "an old file");
      expect(largestDifference(vae.encode(pixels).mean, expected)).toBe(0);
    }
    expect(old.some(({ name }) => name === "encoder.mid_block.attentions.0.proj_attn.bias")).toBe(
      true,
    );
  });

  test("names the tensors that are missing", () => {
    const vae = new Autoencoder(Rng.seed(1), small);
    const weights = new Map(publicWeights(vae));
    weights.delete("decoder.conv_in.bias");
    expect(() => loadPublicWeights(vae, weights, "vae.safetensors")).toThrow(DataError);
    expect(() => loadPublicWeights(vae, weights, "vae.safetensors")).toThrow(
      "vae.safetensors does not fit this model: 1 tensors missing (decoder.conv_in.bias)",
    );
  });
});
