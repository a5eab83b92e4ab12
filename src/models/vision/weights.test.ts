import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { DINO_S16, DINOV2_S14, TINY_VISION, type VisionConfig } from "./config.ts";
import { VisionTransformer } from "./vision-transformer.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

function bare(config: VisionConfig): VisionTransformer {
  return uninitialised(() => new VisionTransformer(Rng.seed(0), config));
}

/** Zeros under the names and shapes of a committed list. */
function listedTensors(path: string): Map<string, Tensor> {
  const lines = listedNames(path).map((line) => line.split("\t"));
  return new Map(
    lines.map(([name = "", sizes = ""]) => [name, Tensor.zeros(sizes.split(",").map(Number))]),
  );
}

test("publicWeights has exactly the 150 names and shapes of DINO's ViT-S/16", () => {
  const network = bare(DINO_S16);
  const names = namesOf(publicWeights(network));
  expect(names).toHaveLength(150);
  expect(names).toEqual(listedNames("vision/names-dino-s16.tsv"));
  expect(network.parameterCount()).toBe(21_665_664);
});

test("publicWeights has exactly the 175 names and shapes of DINOv2's ViT-S/14 but its mask token", () => {
  const listed = listedNames("vision/names-dinov2-s14-meta.tsv");
  expect(listed).toHaveLength(175);
  const read = listed.filter((line) => !line.startsWith("mask_token\t"));
  expect(namesOf(publicWeights(bare(DINOV2_S14)))).toEqual(read);
});

test("loadPublicWeights takes every tensor of DINO's ViT-S/16 as transformers names them", () => {
  using _ = tensorScope();
  const network = bare(DINO_S16);
  const file = listedTensors("vision/names-dino-s16-vit.tsv");
  expect(file.size).toBe(198);
  file.set("encoder.layer.11.output.dense.bias", Tensor.full([384], 3));
  file.set("encoder.layer.0.attention.output.dense.bias", Tensor.full([384], 4));
  file.set("pooler.dense.bias", Tensor.ones([384]));
  loadPublicWeights(network, file, "DINO");
  expect(network.blocks[11]!.mlp.fc2.bias!.toFloat32Array()[383]).toBe(3);
  expect(network.blocks[0]!.attn.proj.bias!.toFloat32Array()[0]).toBe(4);
});

test("loadPublicWeights takes every tensor of DINOv2 as transformers names them, and joins queries, keys, values", () => {
  using _ = tensorScope();
  const network = bare(DINOV2_S14);
  // the published count has a mask token of 384 values
  expect(network.parameterCount()).toBe(22_056_576 - 384);
  const file = listedTensors("vision/names-dinov2-s14.tsv");
  expect(file.size).toBe(223);
  for (const [value, role] of ["query", "key", "value"].entries()) {
    const name = `encoder.layer.3.attention.attention.${role}.bias`;
    file.set(name, Tensor.full([384], value + 1));
  }
  loadPublicWeights(network, file, "DINOv2");
  const joined = network.blocks[3]!.attn.qkv.bias!.toFloat32Array();
  expect([joined[0], joined[383], joined[384], joined[1151]]).toEqual([1, 1, 2, 3]);
  expect(network.blocks[3]!.attn.qkv.weight.abs().max().item()).toBe(0);
});

test("loadPublicWeights refuses files that lack a tensor or have a stranger", () => {
  using _ = tensorScope();
  const network = bare(TINY_VISION);
  const weights = new Map(publicWeights(network));
  weights.delete("blocks.1.attn.qkv.weight");
  weights.set("stranger", Tensor.ones([1]));
  expect(() => loadPublicWeights(network, weights, "a file")).toThrow("blocks.1.attn.qkv.weight");
  expect(() => loadPublicWeights(network, weights, "a file")).toThrow("stranger");
  const apart = listedTensors("vision/names-dinov2-s14.tsv");
  apart.delete("encoder.layer.0.attention.attention.key.bias");
  expect(() => loadPublicWeights(network, apart, "a file")).toThrow(
    "encoder.layer.0.attention.attention.query.bias without its key",
  );
});

test("the tiny transformer has 0.64 M values and sees 64 patches", () => {
  const network = bare(TINY_VISION);
  expect(network.parameterCount()).toBe(637_056);
  expect(network.posEmbed.shape).toEqual([1, 65, 128]);
});
