import { join } from "node:path";
import { z } from "zod";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { uninitialised } from "../../nn/init.ts";
import { readJson } from "../public-weights/json.ts";
import { openWeights } from "../public-weights/weight-files.ts";
import { parsePublicConfig } from "./public-config.ts";
import { VisionTransformer } from "./vision-transformer.ts";
import { loadPublicWeights } from "./weights.ts";

/** A public DINO or DINOv2, frozen, in float32: `config.json` and weights in `folder`, as transformers lays them out. */
export function loadPublicVision(folder: string): VisionTransformer {
  using _ = tensorScope();
  const config = parsePublicConfig(readJson(join(folder, "config.json"), z.unknown()));
  const network = uninitialised(() => new VisionTransformer(Rng.seed(0), config));
  const { tensors, path } = openWeights(folder);
  loadPublicWeights(network, tensors, path);
  return network;
}
