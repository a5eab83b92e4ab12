import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { formulaInput, formulaTensor } from "../../../test/support/formula-weights.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { listedNames } from "../../../test/support/public-names.ts";
import { parsePublicConfig } from "./public-config.ts";
import { resolveVisionConfig } from "./config.ts";
import { VisionTransformer } from "./vision-transformer.ts";
import { loadPublicWeights } from "./weights.ts";

const stored = loadSafetensors(
  new URL("../../../test/golden/vision/public-files.safetensors", import.meta.url).pathname,
);

/** The depths that critics read of twelve layers. */
const DEPTHS = [0, 3, 6, 9, 12];
const [WIDTH, HIDDEN, SIDE, PATCH] = [24, 48, 28, 7];

/** The formula's tensors under the names of a full-size file, at the sizes of the small network. */
function formulaFile(list: string): Map<string, Tensor> {
  const places = (SIDE / PATCH) ** 2 + 1;
  return new Map(
    listedNames(list).map((line) => {
      const [name = "", sizes = ""] = line.split("\t");
      const shape = sizes.split(",").map((size, axis) => {
        if (/position_embeddings/.test(name) && axis === 1) return places;
        if (/projection\.weight/.test(name) && axis > 1) return PATCH;
        return { "384": WIDTH, "1536": HIDDEN }[size] ?? Number(size);
      });
      return [name, formulaTensor(name, shape)];
    }),
  );
}

const sizes = {
  hidden_size: WIDTH,
  num_attention_heads: 3,
  image_size: SIDE,
  patch_size: PATCH,
};

describe.each([
  {
    kind: "dino",
    list: "vision/names-dino-s16-vit.tsv",
    json: { model_type: "vit", intermediate_size: HIDDEN },
  },
  {
    kind: "dinov2",
    list: "vision/names-dinov2-s14.tsv",
    json: { model_type: "dinov2", mlp_ratio: 2 },
  },
])(
  "VisionTransformer from a public file of $kind agrees with transformers",
  ({ kind, list, json }) => {
    const network = new VisionTransformer(Rng.seed(0), parsePublicConfig({ ...sizes, ...json }));
    loadPublicWeights(network, formulaFile(list), "the formula");
    /** The largest difference as a share of the largest expected value: float32 on both sides. */
    const share = (actual: Tensor, what: string): number => {
      const expected = stored.get(`${kind}.${what}`)!;
      return largestDifference(actual, expected) / expected.abs().max().item();
    };

    test("at every depth that critics read, at the end and in the gradient of the pixels", () => {
      using _ = tensorScope();
      const pixels = formulaInput("pixels", [1, 3, SIDE, SIDE], 0.9).setRequiresGrad(true);
      const states = network.features(pixels, DEPTHS);
      for (const [index, depth] of DEPTHS.entries()) {
        expect(share(states[index]!, `depth${depth}`)).toBeLessThan(1e-5);
      }
      const tokens = network.forward(pixels);
      expect(share(tokens, "tokens")).toBeLessThan(1e-5);
      const [slope] = gradients(tokens.square().sum(), [pixels]);
      expect(share(slope!, "gradient")).toBeLessThan(1e-3);
    });
  },
);

test.each([
  { down: 16, right: 16 },
  { down: 9, right: 20 },
  { down: 40, right: 38 },
])("DINOv2's 37 × 37 places become Meta's at $down × $right squares", ({ down, right }) => {
  using _ = tensorScope();
  const config = resolveVisionConfig({
    imageSize: 518,
    patchSize: 14,
    width: 4,
    layers: 1,
    heads: 1,
    layerScale: true,
  });
  const network = new VisionTransformer(Rng.seed(0), config);
  for (const weight of network.patchEmbed.parameters().values()) {
    weight.copyFrom(Tensor.zeros(weight.shape));
  }
  network.posEmbed.copyFrom(formulaTensor("pos_embed", network.posEmbed.shape));
  const [tokens] = network.features(Tensor.zeros([1, 3, 14 * down, 14 * right]), [0]);
  const expected = stored.get(`positions.${down}x${right}`)!;
  const found = tokens!.narrow(1, 1, down * right);
  // float32 of values up to 0.014; without Meta's 0.1 they are off by 0.002 and more
  expect(largestDifference(found, expected)).toBeLessThan(1e-7);
});
