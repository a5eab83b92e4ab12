import { parseLook, type Look } from "../../data/world/looks.ts";
import { UserError } from "../../engine/errors.ts";
import type { AlignmentName } from "../../eve/model/model-folder.ts";
import type { DistillationSettings } from "./distillation-settings.ts";

/** The look that is aligned with the edit adapter (§4.4); null where it is the video adapter. */
export function combinedLook({ combine }: Pick<DistillationSettings, "combine">): Look | null {
  if (combine === null) return null;
  const look = parseLook(combine);
  if (look !== null) return look;
  throw new UserError(
    `expected a look such as style:line-art or subject:toy-robot, got ${combine}`,
  );
}

/** The part of a model that a run of the distillation becomes. */
export function alignmentPartOf(settings: Pick<DistillationSettings, "combine">): AlignmentName {
  const look = combinedLook(settings);
  return look === null ? "alignment" : `${look.type}-alignment`;
}
