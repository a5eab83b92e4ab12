import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { DetailGatesConfig } from "../../models/detail/config.ts";
import { DetailGates } from "../../models/detail/detail-gates.ts";
import { TemporalLayers } from "../../models/temporal/temporal-layers.ts";
import { TextEncoderConfig } from "../../models/text-encoder/config.ts";
import { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import { UNetConfig } from "../../models/unet/config.ts";
import { UNet } from "../../models/unet/unet.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { VaeConfig } from "../../models/vae/config.ts";
import { VisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { unallocated, uninitialised } from "../../nn/init.ts";
import type { Lora } from "../../nn/lora.ts";
import type { Module } from "../../nn/module.ts";
import { EditAdapter, EditAdapterConfig } from "../adapters/edit-adapter.ts";
import { EditStrengths } from "../adapters/edit-strength.ts";
import { VideoAdapterConfig } from "../adapters/video-adapter.ts";
import { AlignmentPart, LookAdapterConfig } from "../stack/alignment-config.ts";
import {
  alignedStudent,
  createAlignment,
  learnedStrengths,
  unpretrainedStudent,
  type Student,
} from "../stack/student.ts";
import type { Networks } from "../stack/teachers.ts";
import {
  TEACHER_PARTS,
  type AlignmentName,
  type LookPart,
  type Part,
  type ModelFolder,
} from "./model-folder.ts";

const NO_SEED = Rng.seed(0);

type Weighted = Pick<Module, "parameters">;

/** What `build` makes, with the part's weights. Sizes that its file does not have are refused before memory is asked for. */
function loaded<T extends Weighted>(folder: ModelFolder, part: Part, build: () => T): T;
function loaded<T>(
  folder: ModelFolder,
  part: Part,
  build: () => T,
  weightsOf: (built: T) => Weighted,
): T;
function loaded<T extends Weighted>(
  folder: ModelFolder,
  part: Part,
  build: () => T,
  weightsOf: (built: T) => Weighted = (built) => built,
): T {
  folder.requireFit(part, () => weightsOf(unallocated(build)));
  const built = uninitialised(build);
  folder.loadWeights(part, weightsOf(built));
  return built;
}

/** Pixels to latents and back, frozen. */
export function loadAutoencoder(folder: ModelFolder): Autoencoder {
  const config = folder.config("autoencoder", VaeConfig);
  return loaded(folder, "autoencoder", () => new Autoencoder(NO_SEED, config));
}

/** Text to token features, frozen, with the tokenizer in front of it. */
export function loadTextEncoder(folder: ModelFolder): {
  encoder: TextEncoder;
  tokenizer: Tokenizer;
} {
  const config = folder.config("text-encoder", TextEncoderConfig);
  const encoder = loaded(folder, "text-encoder", () => new TextEncoder(NO_SEED, config));
  return { encoder, tokenizer: loadTokenizer(folder.partPath("text-encoder")) };
}

/** The text-to-image backbone `θ`, frozen. */
export function loadBackbone(folder: ModelFolder): UNet {
  const config = folder.config("backbone", UNetConfig);
  return loaded(folder, "backbone", () => new UNet(NO_SEED, config));
}

/** The edit adapter `θ_edit` of a backbone, frozen. */
export function loadEditAdapter(folder: ModelFolder, unet: UNet): EditAdapter {
  const config = folder.config("edit-adapter", EditAdapterConfig);
  return loaded(folder, "edit-adapter", () => new EditAdapter(NO_SEED, unet.config, config));
}

/** The video adapter `θ_video` of a backbone, frozen. */
export function loadVideoAdapter(
  folder: ModelFolder,
  unet: UNet,
): { layers: TemporalLayers; window: number } {
  const { temporal, window } = folder.config("video-adapter", VideoAdapterConfig);
  const layers = loaded(folder, "video-adapter", () => new TemporalLayers(NO_SEED, unet, temporal));
  return { layers, window };
}

/** The gates that give edited pictures their source's detail back, frozen. */
export function loadDetailGates(folder: ModelFolder): DetailGates {
  const config = folder.config("detail-gates", DetailGatesConfig);
  return loaded(folder, "detail-gates", () => new DetailGates(NO_SEED, config));
}

/** What the critics of distillation see with, frozen. */
export function loadVision(folder: ModelFolder): VisionTransformer {
  const config = folder.config("vision", VisionConfig);
  return loaded(folder, "vision", () => new VisionTransformer(NO_SEED, config));
}

/** A LoRA by which a backbone draws a look of its own (§4.4), frozen. */
export function loadLook(
  folder: ModelFolder,
  unet: UNet,
  part: LookPart,
): { config: LookAdapterConfig; look: Lora } {
  const config = folder.config(part, LookAdapterConfig);
  const look = loaded(folder, part, () => createAlignment(NO_SEED, unet, config));
  return { config, look };
}

/**
 * The distilled student of the teachers that `networks` are, frozen: a LoRA beside those very tensors.
 *
 * Refuses one that was distilled from other teachers: it would spoil what it does not fit.
 */
export function loadStudent(
  folder: ModelFolder,
  networks: Networks,
  part: AlignmentName = "alignment",
): Student {
  const config = folder.config(part, AlignmentPart);
  if (config.teachers !== folder.hash(TEACHER_PARTS[part])) {
    throw new DataError(
      `the ${part} in ${folder.partPath(part)} was distilled from other adapters than those in ${folder.path}: ` +
        `distil again with "./eve distill", or delete it`,
    );
  }
  return loaded(
    folder,
    part,
    () => untrainedStudent(networks, config),
    ({ trainable }) => ({ parameters: () => trainable }),
  );
}

function untrainedStudent(networks: Networks, config: AlignmentPart): Student {
  switch (config.student) {
    case "aligned": {
      const lora = createAlignment(NO_SEED, networks.unet, config);
      const { videoStrength, editStrength } = config;
      return alignedStudent(networks, lora, {
        videoStrength: videoStrength === "learned" ? learnedStrengths(networks, 1) : videoStrength,
        editStrength:
          editStrength === "learned" ? EditStrengths.alike(networks.editAdapter, 1) : null,
      });
    }
    case "unpretrained":
      return unpretrainedStudent(NO_SEED, networks);
  }
}
