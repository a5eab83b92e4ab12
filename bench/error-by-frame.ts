// How near each frame of an edit comes to the truth, by where it stands in its clip: what windows that go on from others
// lose, and where.
//
//   node bench/error-by-frame.ts [--model models/tiny] [--count 4] [--frames 16] [--temperature 1] aligned aligned:1 frame-by-frame
//
// PSNR of frames in dB, means over `--count` validation clips a task, finished as a user gets them, with flicker taken out
// whatever the method. A method may name its overlap, as `aligned:1` does; `>` marks the first new frame of a window.
import { parseArgs } from "node:util";
import { oneOf } from "../src/cli/arguments.ts";
import { toPixels, unitRange } from "../src/data/pixels.ts";
import { framePsnrs } from "../src/data/psnr.ts";
import { TASKS, type Task } from "../src/data/world/tasks.ts";
import {
  isTogether,
  EDIT_METHODS,
  readSettings,
  resolveSettings,
  temperatureFor,
  type EditSettingsInput,
  type ResolvedSettings,
} from "../src/editing/settings/settings.ts";
import { planWindows } from "../src/editing/windows/windows.ts";
import { HeldTensors } from "../src/engine/held-tensors.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { editFrames } from "../src/evaluation/methods/methods.ts";
import { clipScores, type ClipScores } from "../src/evaluation/scores/clip-scores.ts";
import { mean } from "../src/evaluation/statistics/bootstrap.ts";
import { makeTestClip, type TestClip } from "../src/evaluation/world/test-clip.ts";
import { line, SCORE_HEADINGS, scoreCells } from "./finished-clip.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "4" },
    frames: { type: "string", default: "16" },
    temperature: { type: "string" },
  },
});
const frames = Number(values.frames);
const named = positionals.length > 0 ? positionals : ["aligned", "frame-by-frame"];
const model = EditModel.load(values.model);
const { size, window } = model;
const asked = values.temperature === undefined ? {} : { temperature: Number(values.temperature) };
const temperature = temperatureFor(asked, model);

/** What is measured of one clip by one method. */
interface Measured {
  readonly byFrame: readonly number[];
  readonly scores: ClipScores;
}

/** What a name says of how frames are edited. */
function asNamed(name: string): Pick<EditSettingsInput, "method" | "overlap" | "deflicker"> {
  const [method = "", overlap] = name.split(":");
  const own = { method: oneOf("a method", method, EDIT_METHODS), deflicker: "on" } as const;
  return overlap === undefined ? own : { ...own, overlap: Number(overlap) };
}

function settingsOf(name: string, { request, task }: TestClip): ResolvedSettings {
  const { instruction, outputCaption: caption } = request;
  return resolveSettings(
    readSettings({ instruction, caption, task, temperature, ...asNamed(name) }),
    model,
  );
}

/** The frames at which windows begin. */
function startsOf(name: string): ReadonlySet<number> {
  const settings = resolveSettings(readSettings({ instruction: "any", ...asNamed(name) }), model);
  if (!isTogether(settings.method)) return new Set();
  return new Set(planWindows(frames, settings).map(({ start, known }) => start + known));
}

async function measure(clip: TestClip, name: string): Promise<Measured> {
  const output = await editFrames(model, clip, settingsOf(name, clip), {});
  using _ = tensorScope();
  const { inputFrames: input, truthFrames: truth, reconstruction } = clip;
  const [made, right] = [output, truth].map((shown) => unitRange(toPixels(shown, size, size)));
  return {
    byFrame: framePsnrs(made!, right!),
    scores: clipScores({ input, truth, output }, { size, window, reconstruction }),
  };
}

async function clipOf(task: Task, index: number): Promise<Measured[]> {
  using held = new HeldTensors();
  const guidance = { text: 1, image: 1 };
  const draw = { steps: 1, sampler: "ddim", guidance, detail: "keep" } as const;
  const options = { split: "validation", frames, seed: 0, draw, isCaptionGiven: true } as const;
  const clip = makeTestClip(model, { task, index }, options, held);
  const measured: Measured[] = [];
  for (const name of named) measured.push(await measure(clip, name));
  return measured;
}

const clips: Measured[][] = [];
for (let index = 0; index < Number(values.count); index++) {
  for (const task of TASKS) clips.push(await clipOf(task, index));
}

const WIDTH = 20;
const numbers = Array.from({ length: frames }, (_, frame) => String(frame).padStart(6));
console.log(["frame".padEnd(WIDTH), ...numbers].join(""));
for (const [at, name] of named.entries()) {
  const own = clips.map((clip) => clip[at]!);
  const starts = startsOf(name);
  const cells = Array.from({ length: frames }, (_, frame) => {
    const decibels = mean(own.map(({ byFrame }) => byFrame[frame]!))!.toFixed(2);
    return ((starts.has(frame) ? ">" : "") + decibels).padStart(6);
  });
  console.log([name.padEnd(WIDTH), ...cells].join(""));
}
console.log(`\n${line("", SCORE_HEADINGS, WIDTH)}`);
for (const [at, name] of named.entries()) {
  console.log(line(name, scoreCells(clips.map((clip) => clip[at]!.scores)), WIDTH));
}
