import { z } from "zod";
import {
  divisionFault,
  layerCount,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
} from "../../engine/config.ts";
import { TextEncoderConfig } from "../text-encoder/config.ts";

/** The shape of CLIP's vision tower; the defaults are those of L/14. */
export const ClipVisionConfig = z
  .strictObject({
    /** Side of the pictures that it reads, in pixels. */
    imageSize: networkSize.default(224),
    /** Side of the pixel squares that become tokens. */
    patchSize: patchSide.default(14),
    hiddenSize: networkSize.default(1024),
    layers: layerCount.default(24),
    heads: networkSize.default(16),
    /** Width of the two-layer networks between attentions. */
    intermediateSize: networkSize.default(4096),
    /** `quick_gelu` is `x·σ(1.702·x)`; `gelu` is the exact one. */
    activation: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
    /** Added to variances in layer normalisation. */
    eps: z.number().positive().default(1e-5),
  })
  .superRefine(refuseFor(visionFault));
export type ClipVisionConfig = z.infer<typeof ClipVisionConfig>;

/** The shape of a CLIP model; the defaults are those of L/14. */
export const ClipConfig = z.strictObject({
  text: TextEncoderConfig.prefault({}),
  vision: ClipVisionConfig.prefault({}),
  /** Features in which pictures and texts are compared. */
  projection: networkSize.default(768),
});
export type ClipConfig = z.infer<typeof ClipConfig>;

/** Fills in defaults and refuses what no CLIP model can be built from. */
export function resolveClipConfig(input: z.input<typeof ClipConfig>): ClipConfig {
  return parseConfig(ClipConfig, input, "clip config");
}

type Vision = Record<"imageSize" | "patchSize" | "hiddenSize" | "heads", number>;

function visionFault(config: Vision): string | undefined {
  return (
    divisionFault(config, "hiddenSize", "heads", "vision.") ??
    divisionFault(config, "imageSize", "patchSize", "vision.")
  );
}

/** OpenAI's ViT-L/14: 427,616,513 values. */
export const CLIP_L14 = resolveClipConfig({});

/** LAION's ViT-H/14, whose shape PickScore has: 986,109,441 values. */
export const CLIP_H14 = resolveClipConfig({
  text: {
    hiddenSize: 1024,
    layers: 24,
    heads: 16,
    intermediateSize: 4096,
    activation: "gelu",
  },
  vision: {
    hiddenSize: 1280,
    layers: 32,
    heads: 16,
    intermediateSize: 5120,
    activation: "gelu",
  },
  projection: 1024,
});
