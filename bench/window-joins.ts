// Whether the joins of windows can be seen:
//
//   node bench/window-joins.ts [--model models/tiny] [--frames 26] [--count 3] [--overlap 2] [--temperature 1]
//
// Edits clips of the world's validation split, each several windows long, and compares how wrongly a frame follows the
// one before it (flicker error, to the truth) where a window begins with where none does. Fails above 1.1. Also how wrong
// moving things are behind joins, where a correction of joins would leave ghosts. Without `--temperature`
// as the model is used.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { toPixels } from "../src/data/pixels.ts";
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
import { unitRange } from "../src/evaluation/scores/unit-range.ts";

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

/** How far a channel of the truth has to move from the last known frame to count, and in how many frames behind a join. */
const [MOVED, BEHIND] = [25, 3];

/** A sum of absolute errors (of 255) and of how many channels of pixels. */
interface ErrorSum {
  readonly sum: number;
  readonly count: number;
}

const both = (left: ErrorSum, right: ErrorSum): ErrorSum => ({
  sum: left.sum + right.sum,
  count: left.count + right.count,
});

/** Errors where the truth moved since the last known frame, in the frames behind a join: ghosts show here. */
function errorsOfMoving(
  output: readonly Uint8Array[],
  truth: readonly Uint8Array[],
  start: number,
): ErrorSum {
  let [sum, places] = [0, 0];
  for (let frame = start; frame < Math.min(start + BEHIND, truth.length); frame++) {
    const [made, right, before] = [output[frame]!, truth[frame]!, truth[start - 1]!];
    for (const [at, value] of right.entries()) {
      if (Math.abs(value - before[at]!) <= MOVED) continue;
      sum += Math.abs(made[at]! - value);
      places++;
    }
  }
  return { sum, count: places };
}

interface Errors {
  readonly joins: number[];
  readonly elsewhere: number[];
  /** Of what moves, behind joins. */
  readonly moving: ErrorSum;
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
    moving: [...starts]
      .map((start) => errorsOfMoving(edited, truth, start))
      .reduce(both, { sum: 0, count: 0 }),
  };
}

const ratios: number[] = [];
const all: Omit<Errors, "moving"> = { joins: [], elsewhere: [] };
let moved: ErrorSum = { sum: 0, count: 0 };
for (const task of TASKS) {
  for (let index = 0; index < count; index++) {
    const { joins, elsewhere, moving } = await clipErrors(task, index);
    all.joins.push(...joins);
    all.elsewhere.push(...elsewhere);
    moved = both(moved, moving);
    ratios.push(mean(joins)! / mean(elsewhere)!);
  }
}
const [low, high] = bootstrapInterval(ratios)!;
const ratio = mean(all.joins)! / mean(all.elsewhere)!;
console.log(
  `${ratios.length} clips of ${frames} frames: flicker error at joins ${(100 * mean(all.joins)!).toFixed(3)}, elsewhere ${(100 * mean(all.elsewhere)!).toFixed(3)} (× 100); ` +
    `ratio ${ratio.toFixed(3)}, mean of clips ${mean(ratios)!.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]; ` +
    `error of what moves, behind joins, ${(moved.sum / moved.count).toFixed(2)} of 255; load ${loadavg()[0]!.toFixed(1)}`,
);
process.exitCode = ratio <= 1.1 ? 0 : 1;
