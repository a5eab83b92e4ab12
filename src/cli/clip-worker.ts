import { worker, workerEmit } from "workerpool";
import { chooseDevice } from "../engine/device.ts";
import { placeScorer, type KeptScores, type ScorePlace } from "../evaluation/scored-place.ts";
import type { ClipPlace } from "../evaluation/test-clip.ts";
import { EditModel } from "../eve/edit-model.ts";
import type { ClipEvent, ClipWork } from "./clip-processes.ts";

// The program of each of `clipProcesses`: loads the model with its first clip, and scores one clip after the other.

let scorer: ScorePlace | undefined;

export async function scorePlace(work: ClipWork, place: ClipPlace): Promise<readonly KeptScores[]> {
  scorer ??= loaded(work);
  const tell = (event: ClipEvent): void => workerEmit(event);
  return scorer(place, {
    onWork: (done) => tell({ type: "work", done }),
    onClip: (clip) => tell({ type: "clip", clip }),
  });
}

function loaded({ model, parts, device, options }: ClipWork): ScorePlace {
  chooseDevice(device);
  return placeScorer(EditModel.load(model, parts), options);
}

worker({ scorePlace });
