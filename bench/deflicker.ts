// What taking out flicker does to the edits of the world's validation clips, by how far the filter looks and what it takes
// for the same. Each clip is edited once; only the finishing differs.
//
//   node bench/deflicker.ts [--model models/tiny] [--count 8] [--frames 16] [--method aligned]
import { parseArgs } from "node:util";
import { byteTensor } from "../src/data/byte-pictures.ts";
import { TASKS, type Task } from "../src/data/world/tasks.ts";
import { DEFLICKER, type DeflickerOptions } from "../src/editing/finishing/deflicker.ts";
import { Finishing } from "../src/editing/finishing/finishing.ts";
import { METHODS, stepsFor } from "../src/editing/settings/settings.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { clipScores, type ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { editFrames } from "../src/evaluation/methods/methods.ts";
import { settingsFor } from "../src/evaluation/methods/options.ts";
import { decoded } from "../src/evaluation/methods/pictures.ts";
import { summarize } from "../src/evaluation/statistics/summary.ts";
import { makeTestClip } from "../src/evaluation/world/test-clip.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "8" },
    frames: { type: "string", default: "16" },
    method: { type: "string", default: "aligned" },
  },
});
const method = METHODS.find((name) => name === values.method) ?? "aligned";
const model = EditModel.load(values.model);
const { size, window } = model;

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
  { ...DEFLICKER, editScale: 0.4 },
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
  const sources = clip.inputFrames.map((rgb) => ({ rgb, width: size, height: size }));
  const finished = (chosen: DeflickerOptions | null): Uint8Array[] => {
    const how = { detail: "keep", deflicker: chosen ? "on" : "off" } as const;
    const finishing = new Finishing(size, how, chosen ?? undefined);
    return [...finishing.next(sources, squares), ...finishing.rest()].map(({ finish }) => finish());
  };
  return SETTINGS.map((chosen) => {
    const frames = { input: clip.inputFrames, truth: clip.truthFrames, output: finished(chosen) };
    return clipScores(frames, { size, window, reconstruction: clip.reconstruction });
  });
}

const byClip: ClipScores[][] = [];
for (let index = 0; index < Number(values.count); index++) {
  for (const task of TASKS) byClip.push(await scoredBy(task, index));
}
const HEADINGS = ["success %", "steady %", "flicker", "PSNR", "changed", "kept"];
const line = (name: string, cells: readonly string[]): string =>
  [name.padEnd(34), ...cells.map((cell) => cell.padStart(10))].join("");
console.log(line("", HEADINGS));
for (const [at, setting] of SETTINGS.entries()) {
  const { success, steady, flicker, psnr, psnrChanged, psnrKept } = summarize(
    byClip.map((scores) => scores[at]!),
  );
  const share = (value: number | null): string => (100 * (value ?? 0)).toFixed(1);
  const name = setting
    ? `reach ${setting.reach}, source ${setting.sourceScale}, edit ${setting.editScale}`
    : "as drawn";
  const cells = [share(success), share(steady), (100 * (flicker ?? 0)).toFixed(3)];
  const decibels = [psnr, psnrChanged, psnrKept].map((value) => (value ?? 0).toFixed(2));
  console.log(line(name, [...cells, ...decibels]));
}
