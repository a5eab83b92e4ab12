import { z } from "zod";
import {
  divisionFault,
  layerCount,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
} from "../../engine/config.ts";
import { vocabularySize } from "../text-encoder/config.ts";

const tower = { width: networkSize, layers: layerCount, heads: networkSize };

/** The shape of a ViCLIP model (Wang et al., 2023); the defaults are those of L/14. */
export const ViclipConfig = z
  .strictObject({
    video: z
      .strictObject({
        /** Side of the frames that it reads, in pixels. */
        imageSize: networkSize.default(224),
        /** Side of the pixel squares that become tokens. */
        patchSize: patchSide.default(14),
        /** Frames of one video, seen at once. */
        frames: networkSize.default(8),
        ...tower,
      })
      .prefault({ width: 1024, layers: 24, heads: 16 }),
    text: z
      .strictObject({
        vocabSize: vocabularySize.default(49_408),
        /** The longest sequence, start and end included. */
        maxPositions: networkSize.default(32),
        ...tower,
      })
      .prefault({ width: 768, layers: 12, heads: 12 }),
    /** Features in which videos and texts are compared. */
    projection: networkSize.default(768),
  })
  .superRefine(refuseFor(viclipFault));
export type ViclipConfig = z.infer<typeof ViclipConfig>;

/** Fills in defaults and refuses what no ViCLIP model can be built from. */
export function resolveViclipConfig(input: z.input<typeof ViclipConfig>): ViclipConfig {
  return parseConfig(ViclipConfig, input, "viclip config");
}

type Tower = Record<"width" | "heads", number>;
type Towers = {
  readonly video: Tower & Record<"imageSize" | "patchSize", number>;
  readonly text: Tower;
};

function viclipFault({ video, text }: Towers): string | undefined {
  return (
    divisionFault(video, "width", "heads", "video.") ??
    divisionFault(text, "width", "heads", "text.") ??
    divisionFault(video, "imageSize", "patchSize", "video.")
  );
}

/** ViCLIP-L/14: 427,590,145 values. */
export const VICLIP_L14 = resolveViclipConfig({});

/** ViCLIP-B/16: 149,603,841 values. */
export const VICLIP_B16 = resolveViclipConfig({
  video: { patchSize: 16, width: 768, layers: 12, heads: 12 },
  text: { width: 512, layers: 12, heads: 8 },
  projection: 512,
});
