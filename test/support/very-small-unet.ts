import { resolveUNetConfig } from "../../src/models/unet/config.ts";

/** Two levels, one of each block type: the smallest U-Net that has every part. */
export const VERY_SMALL_UNET = resolveUNetConfig({
  blockOutChannels: [8, 16],
  layersPerBlock: 1,
  downBlockTypes: ["plain", "crossAttention"],
  upBlockTypes: ["crossAttention", "plain"],
  crossAttentionDim: 6,
  heads: 2,
  normGroups: 4,
});
