import { worker, workerEmit } from "workerpool";
import { nearestModel } from "../../editing/settings/model-path.ts";
import { chooseDevice } from "../../engine/device.ts";
import { placeScorer, type ScorePlace } from "../../evaluation/world/scored-place.ts";
import { EditModel } from "../../eve/model/edit-model.ts";
import type { ClipEvent, ClipWork, ScoreClip } from "./clip-work.ts";

// The program of each of `clipProcesses`: loads the model with its first clip, and scores one clip after the other.

let scorer: ScorePlace | undefined;

const scorePlace: ScoreClip = async (work, place) => {
  scorer ??= loaded(work);
  const tell = (event: ClipEvent): void => workerEmit(event);
  return scorer(place, {
    onWork: (done) => tell({ type: "work", done }),
    onClip: (clip) => tell({ type: "clip", clip }),
  });
};

function loaded({ model, parts, device, options }: ClipWork): ScorePlace {
  chooseDevice(device);
  return placeScorer(EditModel.load(nearestModel(model), parts), options);
}

worker({ scorePlace });
