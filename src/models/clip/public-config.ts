import { z } from "zod";
import { parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";
import { parsePublicConfig as parseTextConfig } from "../text-encoder/public-config.ts";
import { resolveClipConfig, type ClipConfig } from "./config.ts";

/** What older writers put for the end token, whatever it was. */
const LEGACY_END = 2;

const Section = z.looseObject({}).nullish();
const PublicConfig = z.looseObject({
  projection_dim: z.int().default(512),
  text_config: Section,
  vision_config: Section,
  /** Where older files have these, they count, and what is missing there takes its default. */
  text_config_dict: Section,
  vision_config_dict: Section,
});

// Defaults are those of transformers' CLIPVisionConfig.
const PublicVision = z.looseObject({
  hidden_size: z.int().default(768),
  intermediate_size: z.int().default(3072),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(12),
  num_channels: z.literal(3).default(3),
  image_size: z.int().default(224),
  patch_size: z.int().default(32),
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
  layer_norm_eps: z.number().default(1e-5),
});

const PublicEnd = z.looseObject({
  vocab_size: z.int().default(49_408),
  eos_token_id: z.int().default(49_407),
});

const FILE = "clip config.json";

/**
 * Reads transformers' config.json of a CLIPModel; refuses what is not built here.
 *
 * The sections' own `projection_dim` is wrong in public files and not read: that of the whole counts.
 */
export function parsePublicConfig(json: unknown): ClipConfig {
  const given = parseConfig(PublicConfig, json, FILE);
  const text = given.text_config_dict ?? given.text_config ?? {};
  const vision = parseConfig(
    PublicVision,
    given.vision_config_dict ?? given.vision_config ?? {},
    FILE,
  );
  requireHighestEnd(text);
  return resolveClipConfig({
    text: parseTextConfig(text),
    vision: {
      imageSize: vision.image_size,
      patchSize: vision.patch_size,
      hiddenSize: vision.hidden_size,
      layers: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      intermediateSize: vision.intermediate_size,
      activation: vision.hidden_act,
      eps: vision.layer_norm_eps,
    },
    projection: given.projection_dim,
  });
}

/** Texts are read at the highest id: with a vocabulary that was extended behind its end token that is another one. */
function requireHighestEnd(text: unknown): void {
  const { vocab_size: size, eos_token_id: end } = parseConfig(PublicEnd, text, FILE);
  if (end !== LEGACY_END && end !== size - 1) {
    throw new ConfigError(
      `expected eos_token_id ${size - 1} (the highest id) or ${LEGACY_END} in clip config.json, got ${end}: ` +
        "vocabularies that were extended behind the end token are not built here",
    );
  }
}
