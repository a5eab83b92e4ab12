import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rng } from "../../src/engine/random.ts";
import { saveSafetensors } from "../../src/engine/safetensors.ts";
import { tensorScope } from "../../src/engine/scope.ts";
import type { OpenFolders } from "../../src/eve/open/open-folders.ts";
import { publicWeights } from "../../src/models/public-weights/layout.ts";
import {
  CONTROLNET,
  MOTION_ADAPTER,
  SPARSE_CONTROLNET,
  type PublicKind,
} from "../../src/models/public-folder/networks.ts";
import { parsePublicConfig as parseVisionConfig } from "../../src/models/vision/public-config.ts";
import { VisionTransformer } from "../../src/models/vision/vision-transformer.ts";
import { publicWeights as visionWeights } from "../../src/models/vision/weights.ts";
import type { Module } from "../../src/nn/module.ts";
import { formulaWeights } from "./motion-golden.ts";

/** A pipeline of Stable Diffusion's kind that diffusers saved, with pictures twice its latents' size. */
export const SMALL_PIPELINE = new URL("../golden/pipeline/small-sd", import.meta.url).pathname;
/** Side of pictures for it: latents of 4×4. */
export const SMALL_OPEN_SIZE = 8;

const ENCODER = {
  block_out_channels: [8, 16],
  cross_attention_dim: 12,
  layers_per_block: 1,
  attention_head_dim: 2,
  norm_num_groups: 4,
};
const MOTION = { motion_num_attention_heads: 2, motion_max_seq_length: 8 };

/** Writes public folders of adapters for the small pipeline into `folder`, with weights by formula in float32. */
export function writeSmallOpenFolders(folder: string): OpenFolders {
  const at = (name: string): string => join(folder, name);
  writeFolder(at("control"), CONTROLNET, {
    ...ENCODER,
    _class_name: "ControlNetModel",
    down_block_types: ["CrossAttnDownBlock2D", "DownBlock2D"],
    conditioning_embedding_out_channels: [4, 8],
  });
  writeFolder(at("motion"), MOTION_ADAPTER, {
    ...MOTION,
    _class_name: "MotionAdapter",
    block_out_channels: [8, 16],
    motion_layers_per_block: 1,
    motion_norm_num_groups: 4,
    use_motion_mid_block: false,
  });
  writeFolder(at("sparse"), SPARSE_CONTROLNET, {
    ...ENCODER,
    ...MOTION,
    _class_name: "SparseControlNetModel",
    down_block_types: ["CrossAttnDownBlockMotion", "DownBlockMotion"],
    use_simplified_condition_embedding: true,
  });
  return {
    pipeline: SMALL_PIPELINE,
    editAdapter: at("control"),
    videoAdapter: at("motion"),
    firstFrames: at("sparse"),
  };
}

function writeFolder<Network extends Module>(
  folder: string,
  { build, layout }: PublicKind<Network>,
  config: object,
): void {
  using _ = tensorScope();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const network = build(config);
  const weights = formulaWeights(publicWeights(network, layout));
  saveSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), weights);
}

const VISION = {
  model_type: "dinov2",
  hidden_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  image_size: 16,
  patch_size: 8,
};

/** Writes a very small DINOv2 with weights by formula, under Meta's names. */
export function writeSmallVision(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(VISION));
  const network = new VisionTransformer(Rng.seed(0), parseVisionConfig(VISION));
  const weights = formulaWeights(visionWeights(network));
  saveSafetensors(join(folder, "model.safetensors"), weights);
  return folder;
}
