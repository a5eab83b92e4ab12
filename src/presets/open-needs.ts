import { UserError } from "../engine/errors.ts";
import type { OpenFolders } from "../eve/open/open-folders.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";

/** Who knows where the public weights lie. */
export interface OpenWeightsSource {
  readonly model: () => Promise<OpenFolders>;
  /** The folder of DINOv2-S/14, which the critics see with. */
  readonly vision: () => Promise<string>;
}

/** The folder of a data set that a run on the open preset needs; a sentence where none is named. */
export function requireData({ data }: Pick<DistillationSettings, "data">): string {
  if (data !== null) return data;
  throw new UserError(
    'the open preset learns from videos of your own: make a data set with "./eve data prepare <videos> --model open --out data/mine", and give --data data/mine',
  );
}
