import { Rng } from "../engine/random.ts";
import { uninitialised } from "../nn/init.ts";
import { TemporalLayers } from "../models/temporal/temporal-layers.ts";
import { TextEncoderConfig } from "../models/text-encoder/config.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { loadTokenizer, type Tokenizer } from "../models/text-encoder/tokenizer.ts";
import { UNetConfig } from "../models/unet/config.ts";
import { UNet } from "../models/unet/unet.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { VaeConfig } from "../models/vae/config.ts";
import { EditAdapter, EditAdapterConfig } from "./edit-adapter.ts";
import type { ModelFolder } from "./model-folder.ts";
import { VideoAdapterConfig } from "./video-adapter.ts";

const NO_SEED = Rng.seed(0);

/** Pixels to latents and back, frozen. */
export function loadAutoencoder(folder: ModelFolder): Autoencoder {
  const config = folder.config("autoencoder", VaeConfig);
  const module = uninitialised(() => new Autoencoder(NO_SEED, config));
  folder.loadWeights("autoencoder", module);
  return module;
}

/** Text to token features, frozen, with the tokenizer in front of it. */
export function loadTextEncoder(folder: ModelFolder): {
  encoder: TextEncoder;
  tokenizer: Tokenizer;
} {
  const config = folder.config("text-encoder", TextEncoderConfig);
  const encoder = uninitialised(() => new TextEncoder(NO_SEED, config));
  folder.loadWeights("text-encoder", encoder);
  return { encoder, tokenizer: loadTokenizer(folder.partPath("text-encoder")) };
}

/** The text-to-image backbone `θ`, frozen. */
export function loadBackbone(folder: ModelFolder): UNet {
  const config = folder.config("backbone", UNetConfig);
  const module = uninitialised(() => new UNet(NO_SEED, config));
  folder.loadWeights("backbone", module);
  return module;
}

/** The edit adapter `θ_edit` of a backbone, frozen. */
export function loadEditAdapter(folder: ModelFolder, unet: UNet): EditAdapter {
  const config = folder.config("edit-adapter", EditAdapterConfig);
  const module = uninitialised(() => new EditAdapter(NO_SEED, unet.config, config));
  folder.loadWeights("edit-adapter", module);
  return module;
}

/** The video adapter `θ_video` of a backbone, frozen. */
export function loadVideoAdapter(
  folder: ModelFolder,
  unet: UNet,
): { layers: TemporalLayers; window: number } {
  const { temporal, window } = folder.config("video-adapter", VideoAdapterConfig);
  const layers = uninitialised(() => new TemporalLayers(NO_SEED, unet, temporal));
  folder.loadWeights("video-adapter", layers);
  return { layers, window };
}
