import { z } from "zod";
import {
  layerCount,
  levelChannels,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
} from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

/** What a level is made of: ResNets alone, or each followed by a transformer that reads the text. */
const BlockType = z.enum(["plain", "crossAttention"]);
export type BlockType = z.infer<typeof BlockType>;

/** The shape of a U-Net; the defaults are those of Stable Diffusion 1.5. */
export const UNetConfig = z
  .strictObject({
    inChannels: networkSize.default(4),
    outChannels: networkSize.default(4),
    /**
     * Side of the squares of latents that become channels before the first convolution; 1 leaves latents alone.
     *
     * A small network affords attention and text at its finest level that way.
     */
    patchSize: patchSide.default(1),
    /** Channels of each level, finest first. */
    blockOutChannels: levelChannels.default([320, 640, 1280, 1280]),
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
    crossAttentionDim: networkSize.default(768),
    /** Attention heads of every level, or of each level, finest first. */
    heads: z.union([networkSize, levelChannels]).default(8),
    /** Transformer blocks behind one ResNet. */
    transformerLayers: layerCount.default(1),
    /** Width of the two-layer networks in transformers, in multiples of the channels. */
    feedForwardExpansion: networkSize.default(4),
    normGroups: networkSize.default(32),
    /** Added to variances in the ResNets' normalisation. */
    normEps: z.number().positive().default(1e-5),
  })
  .superRefine(refuseFor(unetFault));
export type UNetConfig = z.infer<typeof UNetConfig>;

/** Fills in defaults and refuses what no U-Net can be built from. */
export function resolveUNetConfig(input: z.input<typeof UNetConfig>): UNetConfig {
  return parseConfig(UNetConfig, input, "U-Net config");
}

/** What of a U-Net decides whether its levels fit. */
type Levels = {
  readonly blockOutChannels: readonly number[];
  readonly downBlockTypes: readonly BlockType[];
  readonly upBlockTypes: readonly BlockType[];
  readonly heads: number | readonly number[];
  readonly normGroups: number;
};

function unetFault(config: Levels): string | undefined {
  const { blockOutChannels, downBlockTypes, upBlockTypes } = config;
  const levels = blockOutChannels.length;
  const lists = { downBlockTypes, upBlockTypes };
  for (const [key, { length }] of Object.entries(lists)) {
    if (length !== levels)
      return `expected ${levels} entries in ${key}, one per level, got ${length}`;
  }
  return headsFault(config) ?? groupsFault(config);
}

/** Attention heads of level `level`, 0 the finest. */
export function headsAt({ heads }: Pick<Levels, "heads">, level: number): number {
  return typeof heads === "number" ? heads : heads[level]!;
}

/** What is wrong with the heads of levels: they have to be as many as levels, and divide the channels. */
export function headsFault({
  blockOutChannels,
  heads,
}: Pick<Levels, "blockOutChannels" | "heads">): string | undefined {
  const levels = blockOutChannels.length;
  if (typeof heads !== "number" && heads.length !== levels)
    return `expected ${levels} entries in heads, one per level, got ${heads.length}`;
  const uneven = blockOutChannels.findIndex(
    (channels, level) => channels % headsAt({ heads }, level) !== 0,
  );
  if (uneven < 0) return undefined;
  return `expected ${blockOutChannels[uneven]} channels to divide by ${headsAt({ heads }, uneven)} heads: change one of them`;
}

/** Throws a ConfigError where an adapter's `heads` do not fit the levels of the network that it stands beside. */
export function requireHeads(
  blockOutChannels: readonly number[],
  heads: number | readonly number[],
): void {
  const fault = headsFault({ blockOutChannels, heads });
  if (fault !== undefined) throw new ConfigError(fault);
}

/** What is wrong with the groups of normalisations: they have to divide the channels of every level. */
export function groupsFault({
  blockOutChannels,
  normGroups,
}: Pick<Levels, "blockOutChannels" | "normGroups">): string | undefined {
  const uneven = blockOutChannels.find((channels) => channels % normGroups !== 0);
  if (uneven === undefined) return undefined;
  return `expected ${uneven} channels to divide by ${normGroups} norm groups: change one of them`;
}

/** Width of the time vector. */
export function timeChannels({ blockOutChannels }: UNetConfig): number {
  return 4 * blockOutChannels[0]!;
}

/** What height and width of an input divide by. */
export function unetStride({ blockOutChannels, patchSize }: UNetConfig): number {
  return patchSize * 2 ** (blockOutChannels.length - 1);
}
