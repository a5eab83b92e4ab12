import type { DeviceChoice } from "../../engine/device-choices.ts";
import type { WorkDone } from "../../evaluation/methods/options.ts";
import type { KeptScores, PlaceOptions, StepsScored } from "../../evaluation/world/scored-place.ts";
import type { ClipPlace } from "../../evaluation/world/test-clip.ts";
import type { PartsElsewhere } from "../../eve/model/model-folder.ts";

/** Which model edits clips, and how: what a process is told. */
export interface ClipWork {
  /** The model's folder. */
  readonly model: string;
  readonly parts: PartsElsewhere;
  readonly device: DeviceChoice;
  readonly options: PlaceOptions;
}

/** What a process says while it works on a clip. */
export type ClipEvent =
  | { readonly type: "work"; readonly done: WorkDone }
  | { readonly type: "clip"; readonly clip: StepsScored };

/** What a process does for the one that asks: edits a clip and scores it, telling events on the way. */
export type ScoreClip = (work: ClipWork, place: ClipPlace) => Promise<readonly KeptScores[]>;
