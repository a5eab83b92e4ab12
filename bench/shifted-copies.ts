// What the mean of several edits of a clip gains, each of a copy moved by half a latent's cell. Finished as `eve edit` does.
//
//   node bench/shifted-copies.ts [--model models/tiny] [--count 8] [--frames 8] [--steps 3] [--method aligned]
import { parseArgs } from "node:util";
import { byteTensor } from "../src/data/byte-pictures.ts";
import { TASKS, type Task } from "../src/data/world/tasks.ts";
import { EDIT_METHODS, stepsFor } from "../src/editing/settings/settings.ts";
import { Finishing } from "../src/editing/finishing/finishing.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { editFrames } from "../src/evaluation/methods/methods.ts";
import { settingsFor } from "../src/evaluation/methods/options.ts";
import { decoded, encoded } from "../src/evaluation/methods/pictures.ts";
import type { ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { makeTestClip } from "../src/evaluation/world/test-clip.ts";
import { finishedScores, line, SCORE_HEADINGS, scoreCells } from "./finished-clip.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "8" },
    frames: { type: "string", default: "8" },
    steps: { type: "string" },
    method: { type: "string", default: "aligned" },
  },
});
const method = EDIT_METHODS.find((name) => name === values.method) ?? "aligned";
const model = EditModel.load(values.model);
const { size } = model;
const half = size / model.latentShape(1).at(-1)! / 2;

/** By how many pixels each copy is moved, right and down alike; the first is where it was. */
const MOVES = [0, half, -half];
const steps = values.steps === undefined ? stepsFor({}, model) : Number(values.steps);
const guidance = { text: 1, image: 1 };
const options = {
  split: "validation",
  frames: Number(values.frames),
  seed: 0,
  draw: { steps, sampler: "ddim", guidance, detail: "off", deflicker: "off" },
  isCaptionGiven: true,
} as const;

/** A picture moved right and down; at the edges that it leaves, their last pixels again. */
function moved(rgb: Uint8Array, by: number): Uint8Array {
  const within = (place: number): number => Math.min(size - 1, Math.max(0, place - by));
  return Uint8Array.from(rgb, (_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const from = within(Math.floor(pixel / size)) * size + within(pixel % size);
    return rgb[from * 3 + channel]!;
  });
}

/** The mean of pictures that were moved, each where it was before, over those that show the place. */
function mean(pictures: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pictures[0]!, (_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const [x, y] = [pixel % size, Math.floor(pixel / size)];
    const shown = pictures.flatMap((picture, copy) => {
      const [column, row] = [x + MOVES[copy]!, y + MOVES[copy]!];
      const isInside = Math.min(column, row) >= 0 && Math.max(column, row) < size;
      return isInside ? [picture[(row * size + column) * 3 + channel]!] : [];
    });
    return Math.round(shown.reduce((sum, value) => sum + value, 0) / shown.length);
  });
}

/** Scores of the mean of one copy, of two, of three. */
async function scoredBy(task: Task, index: number): Promise<ClipScores[]> {
  using held = new HeldTensors();
  const clip = makeTestClip(model, { task, index }, options, held);
  const own = { method, noise: "independent", seed: clip.seed } as const;
  const settings = settingsFor(model, clip.request, options, own);
  const copies: { edited: Uint8Array[]; reconstruction: Uint8Array[] }[] = [];
  for (const by of MOVES) {
    const inputFrames = clip.inputFrames.map((rgb) => moved(rgb, by));
    const input = held.make(() => encoded(model, inputFrames));
    const edited = await editFrames(model, { input, inputFrames }, settings, {});
    copies.push({ edited, reconstruction: decoded(model, input) });
  }
  return MOVES.map((_, last) => {
    const chosen = copies.slice(0, last + 1);
    const squares = held.make(() =>
      clip.inputFrames.map((__, at) => ({
        edited: byteTensor(mean(chosen.map(({ edited }) => edited[at]!))),
        reconstruction: byteTensor(mean(chosen.map(({ reconstruction }) => reconstruction[at]!))),
      })),
    );
    const finishing = new Finishing(model, { detail: "keep", deflicker: "on" });
    return finishedScores(model, clip, squares, finishing);
  });
}

const rows: { task: Task; scores: ClipScores[] }[] = [];
for (let index = 0; index < Number(values.count); index++) {
  for (const task of TASKS) rows.push({ task, scores: await scoredBy(task, index) });
}
console.log(line("", ["copies", ...SCORE_HEADINGS], 12));
for (const chosen of ["all", ...TASKS] as const) {
  const of = rows.filter(({ task }) => chosen === "all" || task === chosen);
  for (const copy of MOVES.keys()) {
    const cells = scoreCells(of.map(({ scores }) => scores[copy]!));
    console.log(line(chosen, [String(copy + 1), ...cells], 12));
  }
}
