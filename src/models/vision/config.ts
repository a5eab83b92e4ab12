import { z } from "zod";
import {
  divisionFault,
  layerCount,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
} from "../../engine/config.ts";

/** The shape of a vision transformer; the defaults are those of DINO's ViT-S/16. */
export const VisionConfig = z
  .strictObject({
    /** Side of the pictures that positions were learned on, in pixels; others interpolate them. */
    imageSize: networkSize.default(224),
    /** Side of the pixel squares that become tokens. */
    patchSize: patchSide.default(16),
    /** Features of a token. */
    width: networkSize.default(384),
    layers: layerCount.default(12),
    heads: networkSize.default(6),
    /** Width of the two-layer networks between attentions, in multiples of `width`. */
    expansion: networkSize.default(4),
    /** Whether every branch has a learned gain per feature, as DINOv2's have. */
    layerScale: z.boolean().default(false),
    /** Added to variances in layer normalisation. */
    eps: z.number().positive().default(1e-6),
  })
  .superRefine(refuseFor(visionFault));
export type VisionConfig = z.infer<typeof VisionConfig>;

/** Fills in defaults and refuses what no vision transformer can be built from. */
export function resolveVisionConfig(input: z.input<typeof VisionConfig>): VisionConfig {
  return parseConfig(VisionConfig, input, "vision config");
}

type Shape = Record<"width" | "heads" | "imageSize" | "patchSize", number>;

function visionFault(config: Shape): string | undefined {
  return divisionFault(config, "width", "heads") ?? divisionFault(config, "imageSize", "patchSize");
}

/** DINO's ViT-S/16: 21,665,664 values. */
export const DINO_S16 = resolveVisionConfig({});

/** DINOv2's ViT-S/14 without its mask token: 22,056,192 values. */
export const DINOV2_S14 = resolveVisionConfig({ imageSize: 518, patchSize: 14, layerScale: true });

/** The transformer that `tiny` trains on 128×128 pixels: 64 tokens, 0.64 M values. */
export const TINY_VISION = resolveVisionConfig({
  imageSize: 128,
  width: 128,
  layers: 4,
  heads: 4,
  expansion: 2,
});
