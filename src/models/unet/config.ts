import { z } from "zod";
import { layerCount, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

const count = z.int().positive();
/** What a level is made of: ResNets alone, or each followed by a transformer that reads the text. */
const BlockType = z.enum(["plain", "crossAttention"]);
export type BlockType = z.infer<typeof BlockType>;

/** The shape of a U-Net; the defaults are those of Stable Diffusion 1.5. */
export const UNetConfig = z.strictObject({
  inChannels: count.default(4),
  outChannels: count.default(4),
  /**
   * Side of the squares of latents that become channels before the first convolution; 1 leaves latents alone.
   *
   * A small network affords attention and text at its finest level that way.
   */
  patchSize: count.default(1),
  /** Channels of each level, finest first. */
  blockOutChannels: z.array(count).min(1).default([320, 640, 1280, 1280]),
  /** ResNets per level on the way down; the way up has one more. */
  layersPerBlock: layerCount.default(2),
  /** Finest first. */
  downBlockTypes: z
    .array(BlockType)
    .default(["crossAttention", "crossAttention", "crossAttention", "plain"]),
  /** Coarsest first. */
  upBlockTypes: z
    .array(BlockType)
    .default(["plain", "crossAttention", "crossAttention", "crossAttention"]),
  /** Width of the text tokens. */
  crossAttentionDim: count.default(768),
  /** Attention heads of every level, or of each level, finest first. */
  heads: z.union([count, z.array(count)]).default(8),
  /** Transformer blocks behind one ResNet. */
  transformerLayers: layerCount.default(1),
  /** Width of the two-layer networks in transformers, in multiples of the channels. */
  feedForwardExpansion: count.default(4),
  normGroups: count.default(32),
  /** Added to variances in the ResNets' normalisation. */
  normEps: z.number().positive().default(1e-5),
});
export type UNetConfig = z.infer<typeof UNetConfig>;

/** Fills in defaults and refuses what no U-Net can be built from. */
export function resolveUNetConfig(input: z.input<typeof UNetConfig>): UNetConfig {
  const config = parseConfig(UNetConfig, input, "U-Net config");
  const levels = config.blockOutChannels.length;
  const perLevel = {
    downBlockTypes: config.downBlockTypes.length,
    upBlockTypes: config.upBlockTypes.length,
    heads: Array.isArray(config.heads) ? config.heads.length : levels,
  };
  for (const [key, length] of Object.entries(perLevel)) {
    if (length !== levels)
      throw new ConfigError(`expected ${levels} entries in ${key}, one per level, got ${length}`);
  }
  config.blockOutChannels.forEach((channels, level) => {
    const heads = headsAt(config, level);
    if (channels % config.normGroups !== 0 || channels % heads !== 0) {
      throw new ConfigError(
        `expected ${channels} channels to divide by ${config.normGroups} norm groups and ${heads} heads: change one of them`,
      );
    }
  });
  return config;
}

/** Attention heads of level `level`, 0 the finest. */
export function headsAt({ heads }: Pick<UNetConfig, "heads">, level: number): number {
  return Array.isArray(heads) ? heads[level]! : heads;
}

/** Width of the time vector. */
export function timeChannels({ blockOutChannels }: UNetConfig): number {
  return 4 * blockOutChannels[0]!;
}

/** What height and width of an input divide by. */
export function unetStride({ blockOutChannels, patchSize }: UNetConfig): number {
  return patchSize * 2 ** (blockOutChannels.length - 1);
}
