// Whether edits depend on how they are asked for: single test frames, each asked for in its own words, of which some are
// the test split's alone, and in others of the training's.
//
//   node bench/wordings.ts [--model models/tiny] [--count 20] [--tasks object,add,texture]
import { parseArgs } from "node:util";
import { sampleEdit } from "../src/data/world/edits.ts";
import { instruction } from "../src/data/world/instructions.ts";
import { WorldRng } from "../src/data/world/rng.ts";
import { TASKS } from "../src/data/world/tasks.ts";
import { stepsFor } from "../src/editing/settings/settings.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { mean } from "../src/evaluation/statistics/bootstrap.ts";
import type { ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { scoredFrame } from "../src/evaluation/world/single-frames.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "20" },
    tasks: { type: "string", default: "object,add,texture" },
  },
});
const FRAME = 4;

const model = EditModel.load(values.model);
const guidance = { text: 1, image: 1 };
const draw = { steps: stepsFor({}, model), sampler: "ddim", guidance, detail: "keep" } as const;
const options = { draw, isCaptionGiven: true };

for (const task of TASKS.filter((name) => values.tasks.split(",").includes(name))) {
  const requests = Array.from({ length: Number(values.count) }, (_, index) =>
    sampleEdit("test", index, task),
  );
  for (const wording of ["its own words", "others", "others again"]) {
    const scored: ClipScores[] = [];
    for (const [index, request] of requests.entries()) {
      const words = new WorldRng("wording", wording, index);
      const asked = instruction(request.scene, request.edit, words, "train");
      const isOwn = wording === "its own words";
      const own = isOwn ? request : { ...request, instruction: asked };
      scored.push(await scoredFrame(model, own, { options, seed: 0, frame: FRAME }));
    }
    const share = 100 * (mean(scored.map(({ edited }) => Number(edited))) ?? 0);
    const left = ({ changedError, inputError }: ClipScores) =>
      (changedError ?? 0) / (inputError ?? 1);
    const error = mean(scored.map(left)) ?? 0;
    console.log(
      `${task}, ${wording}: ${share.toFixed(0)} % edited, ${error.toFixed(2)} of the input's error is left`,
    );
  }
}
