import { z } from "zod";
import { layerCount, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

const count = z.int().positive();

/** The shape of an autoencoder; the defaults are those of Stable Diffusion 1.5. */
export const VaeConfig = z.strictObject({
  /** Channels of the pictures it reads. */
  inChannels: count.default(3),
  /** Channels of the pictures it draws. */
  outChannels: count.default(3),
  latentChannels: count.default(4),
  /** Channels at each scale, finest first; every further scale halves height and width. */
  blockOutChannels: z.array(count).min(1).default([128, 256, 512, 512]),
  /** Residual blocks per scale of the encoder; the decoder has one more. */
  layersPerBlock: layerCount.default(2),
  normGroups: count.default(32),
  /** Latents are multiplied by this after encoding, so that their variance is about one. */
  scalingFactor: z.number().positive().default(0.18215),
  /** Side of the pixel squares that become channels before the first convolution; 1 leaves pixels alone. */
  patchSize: count.default(1),
  /** Whether the coarsest scale attends to itself. */
  midAttention: z.boolean().default(true),
  /** Whether 1×1 convolutions stand between the networks and the latent. */
  quantConv: z.boolean().default(true),
  /** Per-channel mean of raw latents, subtracted after encoding. */
  latentMean: z.array(z.number()).optional(),
  /** Per-channel deviation of raw latents, divided by after encoding. */
  latentStd: z.array(z.number().positive()).optional(),
});
export type VaeConfig = z.infer<typeof VaeConfig>;

/** Pixels per latent along one side. */
export function latentStride(config: VaeConfig): number {
  return config.patchSize * 2 ** (config.blockOutChannels.length - 1);
}

/** Fills in defaults and refuses what no autoencoder can be built from. */
export function resolveVaeConfig(input: z.input<typeof VaeConfig>): VaeConfig {
  const config = parseConfig(VaeConfig, input, "autoencoder config");
  const uneven = config.blockOutChannels.find((channels) => channels % config.normGroups !== 0);
  if (uneven !== undefined) {
    throw new ConfigError(
      `expected blockOutChannels divisible by normGroups ${config.normGroups}, got ${uneven}`,
    );
  }
  for (const key of ["latentMean", "latentStd"] as const) {
    const length = config[key]?.length;
    if (length !== undefined && length !== config.latentChannels) {
      throw new ConfigError(`expected ${config.latentChannels} values in ${key}, got ${length}`);
    }
  }
  return config;
}
