// What taking out flicker does to the edits of the world's validation clips, by how far the filter looks and what it takes
// for the same. Each clip is edited once; only the finishing differs.
//
//   node bench/deflicker.ts [--model models/tiny] [--count 8] [--frames 16] [--method aligned]
import { parseArgs } from "node:util";
import { byteTensor } from "../src/data/byte-pictures.ts";
import { TASKS, type Task } from "../src/data/world/tasks.ts";
import { DEFLICKER, type DeflickerOptions } from "../src/editing/finishing/deflicker.ts";
import { Finishing } from "../src/editing/finishing/finishing.ts";
import { EDIT_METHODS, stepsFor } from "../src/editing/settings/settings.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import type { ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { editFrames } from "../src/evaluation/methods/methods.ts";
import { settingsFor } from "../src/evaluation/methods/options.ts";
import { decoded } from "../src/evaluation/methods/pictures.ts";
import { makeTestClip } from "../src/evaluation/world/test-clip.ts";
import { finishedScores, line, SCORE_HEADINGS, scoreCells } from "./finished-clip.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "8" },
    frames: { type: "string", default: "16" },
    method: { type: "string", default: "aligned" },
  },
});
const method = EDIT_METHODS.find((name) => name === values.method) ?? "aligned";
const model = EditModel.load(values.model);

const guidance = { text: 1, image: 1 };
const draw = { steps: stepsFor({}, model), sampler: "ddim", guidance } as const;
const plain = { ...draw, detail: "off", deflicker: "off" } as const;
const options = {
  split: "validation",
  frames: Number(values.frames),
  seed: 0,
  draw: plain,
  isCaptionGiven: true,
} as const;

/** Finishings that are compared; null: none. */
const SETTINGS: readonly (DeflickerOptions | null)[] = [
  null,
  DEFLICKER,
  { ...DEFLICKER, reach: 2 },
  { ...DEFLICKER, reach: 7 },
  { ...DEFLICKER, sourceScale: 0.03 },
  { ...DEFLICKER, sourceScale: 0.12 },
  { ...DEFLICKER, editScale: 0.05 },
  { ...DEFLICKER, editScale: 0.2 },
  { ...DEFLICKER, editScale: 0.3 },
];

async function scoredBy(task: Task, index: number): Promise<ClipScores[]> {
  using held = new HeldTensors();
  const clip = makeTestClip(model, { task, index }, options, held);
  const own = { method, noise: "independent", seed: clip.seed } as const;
  const settings = settingsFor(model, clip.request, options, own);
  const edited = await editFrames(model, clip, settings, {});
  const reconstructions = decoded(model, clip.input);
  const squares = held.make(() =>
    edited.map((picture, at) => ({
      edited: byteTensor(picture),
      reconstruction: byteTensor(reconstructions[at]!),
    })),
  );
  return SETTINGS.map((chosen) => {
    const how = { detail: "keep", deflicker: chosen ? "on" : "off" } as const;
    return finishedScores(model, clip, squares, new Finishing(model, how, chosen ?? undefined));
  });
}

const byClip: ClipScores[][] = [];
for (let index = 0; index < Number(values.count); index++) {
  for (const task of TASKS) byClip.push(await scoredBy(task, index));
}
console.log(line("", SCORE_HEADINGS, 34));
for (const [at, setting] of SETTINGS.entries()) {
  const name = setting
    ? `reach ${setting.reach}, source ${setting.sourceScale}, edit ${setting.editScale}`
    : "as drawn";
  console.log(line(name, scoreCells(byClip.map((scores) => scores[at]!)), 34));
}
