import { z } from "zod";
import {
  divisionFault,
  layerCount,
  networkSize,
  parseConfig,
  refuseFor,
} from "../../engine/config.ts";

/** Tokens of a vocabulary. */
export const vocabularySize = z.int().positive().max(1_000_000);

/** The shape of a CLIP text model; the defaults are those of Stable Diffusion 1.5. */
export const TextEncoderConfig = z
  .strictObject({
    vocabSize: vocabularySize.default(49_408),
    hiddenSize: networkSize.default(768),
    layers: layerCount.default(12),
    heads: networkSize.default(12),
    /** Width of the two-layer networks between attentions. */
    intermediateSize: networkSize.default(3072),
    /** The longest sequence, start and end included. */
    maxPositions: networkSize.default(77),
    /** `quick_gelu` is `x·σ(1.702·x)`; `gelu` is the exact one, which larger models use. */
    activation: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
    /** Added to variances in layer normalisation. */
    eps: z.number().positive().default(1e-5),
  })
  .superRefine(
    refuseFor((config: Record<"hiddenSize" | "heads", number>) =>
      divisionFault(config, "hiddenSize", "heads"),
    ),
  );
export type TextEncoderConfig = z.infer<typeof TextEncoderConfig>;

/** Fills in defaults and refuses what no text encoder can be built from. */
export function resolveTextEncoderConfig(
  input: z.input<typeof TextEncoderConfig>,
): TextEncoderConfig {
  return parseConfig(TextEncoderConfig, input, "text encoder config");
}
