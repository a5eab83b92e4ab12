import { z } from "zod";
import { layerCount, parseConfig } from "../../engine/config.ts";
import { ConfigError } from "../../engine/errors.ts";

const count = z.int().positive();
const tower = { width: count, layers: layerCount, heads: count };

/** The shape of a ViCLIP model (Wang et al., 2023); the defaults are those of L/14. */
export const ViclipConfig = z.strictObject({
  video: z
    .strictObject({
      /** Side of the frames that it reads, in pixels. */
      imageSize: count.default(224),
      /** Side of the pixel squares that become tokens. */
      patchSize: count.default(14),
      /** Frames of one video, seen at once. */
      frames: count.default(8),
      ...tower,
    })
    .prefault({ width: 1024, layers: 24, heads: 16 }),
  text: z
    .strictObject({
      vocabSize: count.default(49_408),
      /** The longest sequence, start and end included. */
      maxPositions: count.default(32),
      ...tower,
    })
    .prefault({ width: 768, layers: 12, heads: 12 }),
  /** Features in which videos and texts are compared. */
  projection: count.default(768),
});
export type ViclipConfig = z.infer<typeof ViclipConfig>;

/** Fills in defaults and refuses what no ViCLIP model can be built from. */
export function resolveViclipConfig(input: z.input<typeof ViclipConfig>): ViclipConfig {
  const config = parseConfig(ViclipConfig, input, "viclip config");
  const { video, text } = config;
  for (const [name, { width, heads }] of Object.entries({ video, text })) {
    if (width % heads !== 0) {
      throw new ConfigError(
        `expected ${name}.width divisible by ${name}.heads, got ${width} and ${heads}`,
      );
    }
  }
  if (video.imageSize % video.patchSize !== 0) {
    throw new ConfigError(
      `expected video.imageSize divisible by video.patchSize, got ${video.imageSize} and ${video.patchSize}`,
    );
  }
  return config;
}

/** ViCLIP-L/14: 427,590,145 values. */
export const VICLIP_L14 = resolveViclipConfig({});

/** ViCLIP-B/16: 149,603,841 values. */
export const VICLIP_B16 = resolveViclipConfig({
  video: { patchSize: 16, width: 768, layers: 12, heads: 12 },
  text: { width: 512, layers: 12, heads: 8 },
  projection: 512,
});
