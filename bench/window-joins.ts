// Whether the joins of windows can be seen:
//
//   node bench/window-joins.ts [--model models/tiny] [--frames 26] [--count 3] [--overlap 2] [--temperature 1]
//
// Edits clips of the world's validation split, each several windows long, and compares how wrongly a frame follows the
// one before it (flicker error, to the truth) where a window begins with where none does. Fails above 1.1. Without `--temperature`
// as the model is used.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { toPixels, unitRange } from "../src/data/pixels.ts";
import { sampleEdit } from "../src/data/world/edits.ts";
import { renderClip } from "../src/data/world/render.ts";
import { TASKS } from "../src/data/world/tasks.ts";
import { readSettings, resolveSettings, temperatureFor } from "../src/editing/settings/settings.ts";
import { planWindows } from "../src/editing/windows/windows.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { flickerError } from "../src/evaluation/scores/flicker.ts";
import { truthClip } from "../src/evaluation/world/ground-truth.ts";
import { editFrames } from "../src/evaluation/methods/methods.ts";
import { bootstrapInterval, mean } from "../src/evaluation/statistics/bootstrap.ts";
import { encoded } from "../src/evaluation/methods/pictures.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    frames: { type: "string", default: "26" },
    count: { type: "string", default: "3" },
    overlap: { type: "string", default: "2" },
    temperature: { type: "string" },
  },
});
const [frames, count] = [Number(values.frames), Number(values.count)];
const overlap = Number(values.overlap);
const model = EditModel.load(values.model);
const asked = values.temperature === undefined ? {} : { temperature: Number(values.temperature) };
const temperature = temperatureFor(asked, model);
const { size } = model;

/** Flicker error of every frame against the one before it; the first has none. */
function errorsBetween(output: readonly Uint8Array[], truth: readonly Uint8Array[]): number[] {
  using _ = tensorScope();
  const [made, right] = [output, truth].map((clip) => unitRange(toPixels(clip, size, size)));
  return output
    .slice(1)
    .map((_frame, index) => flickerError(made!.narrow(0, index, 2), right!.narrow(0, index, 2)));
}

interface Errors {
  readonly joins: number[];
  readonly elsewhere: number[];
}

async function clipErrors(task: (typeof TASKS)[number], index: number): Promise<Errors> {
  const request = sampleEdit("validation", index, task);
  const inputFrames = renderClip(request.scene, frames, size);
  const { instruction, outputCaption: caption } = request;
  const settings = resolveSettings(
    readSettings({ instruction, caption, task, overlap, temperature, seed: index }),
    model,
  );
  const input = encoded(model, inputFrames);
  const edited = await editFrames(model, { input, inputFrames }, settings, {});
  const truth = truthClip(request, frames, size);
  const errors = errorsBetween(edited, truth);
  const places = planWindows(frames, settings).slice(1);
  const starts = new Set(places.map(({ start, known }) => start + known));
  const isJoin = (pair: number): boolean => starts.has(pair + 1);
  return {
    joins: errors.filter((_, pair) => isJoin(pair)),
    elsewhere: errors.filter((_, pair) => !isJoin(pair)),
  };
}

const ratios: number[] = [];
const all: Errors = { joins: [], elsewhere: [] };
for (const task of TASKS) {
  for (let index = 0; index < count; index++) {
    const { joins, elsewhere } = await clipErrors(task, index);
    all.joins.push(...joins);
    all.elsewhere.push(...elsewhere);
    ratios.push(mean(joins)! / mean(elsewhere)!);
  }
}
const interval = bootstrapInterval(ratios)?.map((end) => end.toFixed(3)) ?? [
  "no interval of so few",
];
const ratio = mean(all.joins)! / mean(all.elsewhere)!;
console.log(
  `${ratios.length} clips of ${frames} frames: flicker error at joins ${(100 * mean(all.joins)!).toFixed(3)}, elsewhere ${(100 * mean(all.elsewhere)!).toFixed(3)} (× 100); ` +
    `ratio ${ratio.toFixed(3)}, mean of clips ${mean(ratios)!.toFixed(3)} [${interval.join(", ")}]; load ${loadavg()[0]!.toFixed(1)}`,
);
process.exitCode = ratio <= 1.1 ? 0 : 1;
