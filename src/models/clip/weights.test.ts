import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { Clip } from "./clip.ts";
import { CLIP_H14, CLIP_L14, resolveClipConfig } from "./config.ts";
import { loadPublicWeights, publicWeights } from "./weights.ts";

test.each([
  {
    what: "the 590 names and shapes of L/14",
    config: CLIP_L14,
    list: "names-l14",
    values: 427_616_513,
  },
  {
    what: "the 910 names and shapes of H/14",
    config: CLIP_H14,
    list: "names-h14",
    values: 986_109_441,
  },
])("publicWeights has exactly $what", ({ config, list, values }) => {
  using _ = tensorScope();
  const clip = uninitialised(() => new Clip(Rng.seed(0), config));
  expect(namesOf(publicWeights(clip))).toEqual(listedNames(`clip/${list}.tsv`));
  expect(clip.parameterCount()).toBe(values);
});

test("loadPublicWeights ignores the position buffers of older files and refuses other strangers", () => {
  const section = { hiddenSize: 8, layers: 1, heads: 2, intermediateSize: 8 };
  const config = resolveClipConfig({
    text: { ...section, vocabSize: 8 },
    vision: { ...section, imageSize: 4, patchSize: 2 },
    projection: 4,
  });
  const clip = new Clip(Rng.seed(0), config);
  const weights = new Map(publicWeights(clip));
  weights.set("text_model.embeddings.position_ids", Tensor.arange(77).reshape([1, 77]));
  weights.set("vision_model.embeddings.position_ids", Tensor.arange(5).reshape([1, 5]));
  weights.set("logit_scale", Tensor.scalar(4.5));
  loadPublicWeights(clip, weights, "an old file");
  expect(clip.logitScale.item()).toBe(4.5);
  weights.set("stranger", Tensor.ones([1]));
  weights.delete("vision_model.pre_layrnorm.bias");
  expect(() => loadPublicWeights(clip, weights, "a file")).toThrow(
    "a file does not fit this model: 1 tensors missing (vision_model.pre_layrnorm.bias); 1 tensors unexpected (stranger)",
  );
});
