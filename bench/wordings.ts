// Whether edits depend on how they are asked for: single test frames, each asked for in its own words, of which some are
// the test split's alone, and in others of the training's.
//
//   node bench/wordings.ts [--model models/tiny] [--count 20] [--tasks object,add,texture]
import { parseArgs } from "node:util";
import { toPixels } from "../src/data/pixels.ts";
import { sampleEdit } from "../src/data/world/edits.ts";
import { instruction } from "../src/data/world/instructions.ts";
import { renderFrame } from "../src/data/world/render.ts";
import { Rng } from "../src/data/world/rng.ts";
import { TASKS } from "../src/data/world/tasks.ts";
import { stepsFor } from "../src/editing/settings.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { EditModel } from "../src/eve/edit-model.ts";
import { mean } from "../src/evaluation/bootstrap.ts";
import { truthFrame } from "../src/evaluation/ground-truth.ts";
import { editFrames } from "../src/evaluation/methods.ts";
import { settingsFor } from "../src/evaluation/options.ts";
import { encoded } from "../src/evaluation/pictures.ts";
import { outcome } from "../src/evaluation/success.ts";
import { unitRange } from "../src/evaluation/unit-range.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "20" },
    tasks: { type: "string", default: "object,add,texture" },
  },
});
const FRAME = 4;

const model = EditModel.load(values.model);
const { size } = model;
const guidance = { text: 1, image: 1 };
const draw = { steps: stepsFor({}, model), sampler: "ddim", guidance, detail: "keep" } as const;

/** Whether the edit of one frame works when it is asked for so, and its error by that of leaving all as it is. */
async function edited(request: ReturnType<typeof sampleEdit>): Promise<[boolean, number]> {
  using held = new HeldTensors();
  const input = renderFrame(request.scene, FRAME, size);
  const truth = truthFrame(request, FRAME, size);
  const latents = held.make(() => encoded(model, [input]));
  const own = { method: "frame-by-frame", noise: "independent", seed: 0 } as const;
  const settings = settingsFor(model, request, { draw, isCaptionGiven: true }, own);
  const [output] = await editFrames(model, { input: latents, inputFrames: [input] }, settings, {});
  const unit = (rgb: Uint8Array) => held.make(() => unitRange(toPixels([rgb], size, size)));
  const found = outcome({ input: unit(input), truth: unit(truth), output: unit(output!) });
  return [found.edited, (found.changedError ?? 0) / (found.inputError ?? 1)];
}

for (const task of TASKS.filter((name) => values.tasks.split(",").includes(name))) {
  const requests = Array.from({ length: Number(values.count) }, (_, index) =>
    sampleEdit("test", index, task),
  );
  for (const wording of ["its own words", "others", "others again"]) {
    const shares: [boolean, number][] = [];
    for (const [index, request] of requests.entries()) {
      const words = new Rng("wording", wording, index);
      const asked = instruction(request.scene, request.edit, words, "train");
      const isOwn = wording === "its own words";
      shares.push(await edited(isOwn ? request : { ...request, instruction: asked }));
    }
    const share = 100 * (mean(shares.map(([isEdited]) => Number(isEdited))) ?? 0);
    const error = mean(shares.map(([, ratio]) => ratio)) ?? 0;
    console.log(
      `${task}, ${wording}: ${share.toFixed(0)} % edited, ${error.toFixed(2)} of the input's error is left`,
    );
  }
}
