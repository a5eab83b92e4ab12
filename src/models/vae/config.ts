import { z } from "zod";
import {
  layerCount,
  levelChannels,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
} from "../../engine/config.ts";

/** The shape of an autoencoder; the defaults are those of Stable Diffusion 1.5. */
export const VaeConfig = z
  .strictObject({
    /** Channels of the pictures it reads. */
    inChannels: networkSize.default(3),
    /** Channels of the pictures it draws. */
    outChannels: networkSize.default(3),
    latentChannels: networkSize.default(4),
    /** Channels at each scale, finest first; every further scale halves height and width. */
    blockOutChannels: levelChannels.default([128, 256, 512, 512]),
    /** Residual blocks per scale of the encoder; the decoder has one more. */
    layersPerBlock: layerCount.default(2),
    normGroups: networkSize.default(32),
    /** Latents are multiplied by this after encoding, so that their variance is about one. */
    scalingFactor: z.number().positive().default(0.18215),
    /** Side of the pixel squares that become channels before the first convolution; 1 leaves pixels alone. */
    patchSize: patchSide.default(1),
    /** Whether the coarsest scale attends to itself. */
    midAttention: z.boolean().default(true),
    /** Whether 1×1 convolutions stand between the networks and the latent. */
    quantConv: z.boolean().default(true),
    /** Per-channel mean of raw latents, subtracted after encoding. */
    latentMean: z.array(z.number()).optional(),
    /** Per-channel deviation of raw latents, divided by after encoding. */
    latentStd: z.array(z.number().positive()).optional(),
  })
  .superRefine(refuseFor(vaeFault));
export type VaeConfig = z.infer<typeof VaeConfig>;

/** Pixels per latent along one side. */
export function latentStride(config: VaeConfig): number {
  return config.patchSize * 2 ** (config.blockOutChannels.length - 1);
}

/** Fills in defaults and refuses what no autoencoder can be built from. */
export function resolveVaeConfig(input: z.input<typeof VaeConfig>): VaeConfig {
  return parseConfig(VaeConfig, input, "autoencoder config");
}

type Shape = {
  readonly blockOutChannels: readonly number[];
  readonly normGroups: number;
  readonly latentChannels: number;
  readonly latentMean?: readonly number[] | undefined;
  readonly latentStd?: readonly number[] | undefined;
};

function vaeFault(config: Shape): string | undefined {
  const { blockOutChannels, normGroups, latentChannels } = config;
  const uneven = blockOutChannels.find((channels) => channels % normGroups !== 0);
  if (uneven !== undefined)
    return `expected blockOutChannels divisible by normGroups ${normGroups}, got ${uneven}`;
  for (const key of ["latentMean", "latentStd"] as const) {
    const length = config[key]?.length;
    if (length !== undefined && length !== latentChannels)
      return `expected ${latentChannels} values in ${key}, got ${length}`;
  }
  return undefined;
}
