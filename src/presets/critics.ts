import { ConfigError } from "../engine/errors.ts";
import type { Rng } from "../engine/random.ts";
import type { Jury } from "../eve/critics/adversarial-objective.ts";
import { CriticConfig } from "../eve/critics/critic-config.ts";
import { EditCritic, VideoCritic } from "../eve/critics/critics.ts";
import type { VisionTransformer } from "../models/vision/vision-transformer.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";

/** What both critics are made of beside the settings. */
export interface CriticParts extends Pick<Jury, "decode"> {
  /** What they see with, frozen. */
  readonly vision: VisionTransformer;
  /** Width of the text encoder's token features. */
  readonly textFeatures: number;
}

/** Both critics with random heads. */
export function openCritics(
  { vision, textFeatures, decode }: CriticParts,
  { heads, adversarial, augmentation, recompute }: DistillationSettings,
  rng: Rng,
): Jury {
  const config = CriticConfig.parse({ ...heads, textFeatures });
  const { patchSize } = vision.config;
  if (config.size !== null && config.size % patchSize !== 0)
    throw new ConfigError(
      `stage.heads.size: expected a multiple of ${patchSize} pixels, got ${config.size}`,
    );
  return {
    edit: new EditCritic(rng.split("edit"), vision, config),
    video: new VideoCritic(rng.split("video"), vision, config),
    decode,
    recompute: recompute !== false,
    losses: adversarial,
    augmentation,
  };
}
