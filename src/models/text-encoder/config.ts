import { z } from "zod";
import { layerCount, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

const count = z.int().positive();

/** The shape of a CLIP text model; the defaults are those of Stable Diffusion 1.5. */
export const TextEncoderConfig = z.strictObject({
  vocabSize: count.default(49_408),
  hiddenSize: count.default(768),
  layers: layerCount.default(12),
  heads: count.default(12),
  /** Width of the two-layer networks between attentions. */
  intermediateSize: count.default(3072),
  /** The longest sequence, start and end included. */
  maxPositions: count.default(77),
  /** `quick_gelu` is `x·σ(1.702·x)`; `gelu` is the exact one, which larger models use. */
  activation: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
  /** Added to variances in layer normalisation. */
  eps: z.number().positive().default(1e-5),
});
export type TextEncoderConfig = z.infer<typeof TextEncoderConfig>;

/** Fills in defaults and refuses what no text encoder can be built from. */
export function resolveTextEncoderConfig(
  input: z.input<typeof TextEncoderConfig>,
): TextEncoderConfig {
  const config = parseConfig(TextEncoderConfig, input, "text encoder config");
  const { hiddenSize, heads } = config;
  if (hiddenSize % heads !== 0) {
    throw new ConfigError(`expected hiddenSize divisible by heads, got ${hiddenSize} and ${heads}`);
  }
  return config;
}
