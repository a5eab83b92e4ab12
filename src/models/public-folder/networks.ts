import { join } from "node:path";
import { z } from "zod";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { unallocated } from "../../nn/init.ts";
import type { Module } from "../../nn/module.ts";
import { ControlNet } from "../controlnet/controlnet.ts";
import { parsePublicConfig as parseControlNetConfig } from "../controlnet/public-config.ts";
import { MotionAdapter } from "../motion/motion-adapter.ts";
import { parsePublicConfig as parseMotionConfig } from "../motion/weights.ts";
import { SparseControlNet } from "../sparse-controlnet/sparse-controlnet.ts";
import {
  SPARSE_CONTROLNET_LAYOUT,
  parsePublicConfig as parseSparseConfig,
} from "../sparse-controlnet/weights.ts";
import { parsePublicConfig as parseTextEncoderConfig } from "../text-encoder/public-config.ts";
import { TextEncoder } from "../text-encoder/text-encoder.ts";
import { TEXT_ENCODER_LAYOUT } from "../text-encoder/weights.ts";
import { UNet } from "../unet/unet.ts";
import { UNET_LAYOUT, parsePublicConfig as parseUNetConfig } from "../unet/weights.ts";
import { Autoencoder } from "../vae/autoencoder.ts";
import { parsePublicConfig as parseVaeConfig } from "../vae/public-config.ts";
import { VAE_LAYOUT } from "../vae/weights.ts";
import { readJson } from "../public-weights/json.ts";
import {
  adoptPublicWeights,
  type PublicLayout,
  type WeightType,
} from "../public-weights/layout.ts";
import { openWeights } from "../public-weights/weight-files.ts";

/** A kind of network that public folders hold. */
export interface PublicKind<Network extends Module> {
  /** diffusers' name of it in `_class_name` of config.json; null where config.json does not say. */
  readonly className: string | null;
  /** Builds the network that config.json describes, all weights made in its constructors; ConfigError where it cannot. */
  readonly build: (config: unknown) => Network;
  readonly layout: PublicLayout;
}

/** How public folders are opened. */
export interface OpenOptions {
  /** Preferred files, e.g. `fp16`; others are taken where there are none (`openWeights`). */
  readonly variant?: string;
  /** Default `stored`. On a GPU that computes in bfloat16, `bfloat16` spares converting at every use. */
  readonly weightType?: WeightType;
}

const Config = z.looseObject({ _class_name: z.string().optional() });

/**
 * Opens a network from a public folder: config.json and weights in safetensors. It is frozen.
 *
 * On the CPU its matrices stay mapped from the file, in the file's data type; nothing is allocated for them.
 */
export function openNetwork<Network extends Module>(
  folder: string,
  { className, build, layout }: PublicKind<Network>,
  { variant, weightType = "stored" }: OpenOptions = {},
): Network {
  using _ = tensorScope();
  const configPath = join(folder, "config.json");
  const config = readJson(configPath, Config);
  const given = config._class_name;
  if (className !== null && given !== undefined && given !== className)
    throw new DataError(`${configPath}: expected a ${className}, got a ${given}`);
  const network = unallocated(() => buildFrom(configPath, () => build(config)));
  const { tensors, path } = openWeights(folder, variant);
  adoptPublicWeights(network, tensors, layout, { what: path, weightType });
  return network;
}

function buildFrom<T>(path: string, build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (cause instanceof ConfigError) throw new ConfigError(`${path}: ${cause.message}`, { cause });
    throw cause;
  }
}

// Nothing is drawn.
const NO_SEED = Rng.seed(0);

/** diffusers' text-to-image U-Net, InstructPix2Pix's with its eight input channels included. */
export const UNET: PublicKind<UNet> = {
  className: "UNet2DConditionModel",
  build: (config) => new UNet(NO_SEED, parseUNetConfig(config)),
  layout: UNET_LAYOUT,
};

/** diffusers' ControlNet. */
export const CONTROLNET: PublicKind<ControlNet> = {
  className: "ControlNetModel",
  build(config) {
    const { unet, hint } = parseControlNetConfig(config);
    return new ControlNet(NO_SEED, unet, hint);
  },
  layout: UNET_LAYOUT,
};

/** diffusers' AnimateDiff adapter, normalising as AnimateDiff does. */
export const MOTION_ADAPTER: PublicKind<MotionAdapter> = {
  className: "MotionAdapter",
  build: (config) => new MotionAdapter(NO_SEED, parseMotionConfig(config)),
  layout: UNET_LAYOUT,
};

/** diffusers' SparseCtrl encoder, its RGB variant. */
export const SPARSE_CONTROLNET: PublicKind<SparseControlNet> = {
  className: "SparseControlNetModel",
  build(config) {
    const { encoder, sparse } = parseSparseConfig(config);
    return new SparseControlNet(NO_SEED, encoder, sparse);
  },
  layout: SPARSE_CONTROLNET_LAYOUT,
};

/** diffusers' autoencoder. */
export const AUTOENCODER: PublicKind<Autoencoder> = {
  className: "AutoencoderKL",
  build: (config) => new Autoencoder(NO_SEED, parseVaeConfig(config)),
  layout: VAE_LAYOUT,
};

/** transformers' CLIP text model. */
export const TEXT_ENCODER: PublicKind<TextEncoder> = {
  className: null,
  build: (config) => new TextEncoder(NO_SEED, parseTextEncoderConfig(config)),
  layout: TEXT_ENCODER_LAYOUT,
};
