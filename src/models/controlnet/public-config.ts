import { z } from "zod";
import { parseConfig } from "../../engine/config.ts";
import type { UNetConfig } from "../unet/config.ts";
import { parsePublicConfig as parseUNetConfig } from "../unet/weights.ts";
import { HintConfig } from "./config.ts";

// Defaults are those of diffusers' ControlNetModel.
const PublicConfig = z.looseObject({
  conditioning_embedding_out_channels: z.array(z.int()).nullish(),
  controlnet_conditioning_channel_order: z.literal("rgb").default("rgb"),
  global_pool_conditions: z.literal(false).default(false),
  conditioning_channels: z.literal(3).default(3),
});

/** Reads diffusers' config.json of a ControlNetModel: its encoder and its entry for pictures; refuses what is not built. */
export function parsePublicConfig(json: unknown): { unet: UNetConfig; hint: HintConfig } {
  const parsed = parseConfig(PublicConfig, json, "ControlNet config.json");
  const channels = parsed.conditioning_embedding_out_channels;
  return {
    unet: parseUNetConfig(json),
    hint: parseConfig(
      HintConfig,
      { type: "rgb", ...(channels && { channels }) },
      "ControlNet config",
    ),
  };
}
