// How much noise an edit should start from, and which times it should visit: validation clips edited at every temperature
// with every list of times, beside the world's truth. The sampling defaults of a model (`model.json`) are chosen here.
//
//   node bench/temperature.ts [--model models/tiny] [--clips 1] [--noise independent] [--methods frame-by-frame,1,0.5]
//     [--temperatures 1,0.5,0] [--times "999,499;999,350"] [--draws 1]
//
// `--clips` a task, of the model's window. A method is frame-by-frame, aligned, or the stack at a strength of its video
// adapter. With `--draws n` each step is the mean of x̂₀ over n noises, in pairs of opposite ones: what sampling at
// temperature 0 is an estimate of. Columns: dB above the first row's in changed and in kept pixels, and the ratio of
// flicker to the first row's: the first method at the first temperature, by the first times, from as many draws.
import { parseArgs } from "node:util";
import { TASKS } from "../src/data/world/tasks.ts";
import type { Denoiser } from "../src/diffusion/denoiser.ts";
import { ddimJump } from "../src/diffusion/samplers.ts";
import { atTemperature } from "../src/diffusion/temperature.ts";
import { NOISE_MODES, type NoiseMode } from "../src/editing/settings/settings.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { startNoise } from "../src/eve/distillation/start-noise.ts";
import { stacked, type StackedCondition } from "../src/eve/stack/teachers.ts";
import { Rows, stackedEdit } from "./stacked-edit.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    clips: { type: "string", default: "1" },
    noise: { type: "string", default: "independent" },
    methods: { type: "string", default: "frame-by-frame,1,0.5" },
    temperatures: { type: "string", default: "1,0.5,0" },
    times: { type: "string", default: "999,499;999,350" },
    draws: { type: "string", default: "1" },
  },
});

setThreads(2);
const model = EditModel.load(values.model);
const { schedule } = model;
const mode: NoiseMode = NOISE_MODES.find((name) => name === values.noise) ?? "independent";
const methods = values.methods.split(",");
const temperatures = values.temperatures.split(",").map(Number);
const lists = values.times.split(";").map((list) => list.split(",").map(Number));
const draws = Number(values.draws);
const rows = new Rows();
const nameOf = (method: string, temperature: number, times: readonly number[]): string =>
  [method.padEnd(14), String(temperature).padStart(5), times.join(",").padStart(16)].join(" ");

function denoiserOf(method: string): Denoiser<StackedCondition> {
  if (method === "frame-by-frame") return model.editTeacher();
  return method === "aligned"
    ? model.aligned()
    : stacked(model.networks, { videoStrength: Number(method) });
}

/** DDIM through `times`, each x̂₀ the mean over `noises`; one noise makes it plain DDIM. */
function edited(
  denoiser: Denoiser<StackedCondition>,
  noises: readonly Float<"f c h w">[],
  times: readonly number[],
  condition: StackedCondition,
): Float<"f c h w"> {
  return times.reduce<Float<"f c h w"> | null>((x0, t) => {
    const said = noises.map((noise) => {
      const xt = x0 ? ddimJump({ x0, noise }, schedule, t) : noise;
      return denoiser.predict(xt, t, condition).x0;
    });
    return Tensor.stack(said, 0).mean([0]);
  }, null)!;
}

/** Edits one clip in every way. */
function measure(task: (typeof TASKS)[number], index: number): void {
  using _ = tensorScope();
  const { condition, rng, figures } = stackedEdit(model, task, index, { steps: 2 });
  const drawn = Array.from({ length: draws }, (__, draw) => {
    const noise = startNoise(condition, mode, rng.split("temperature").split(draw >> 1));
    return draw % 2 === 0 ? noise : noise.mul(-1);
  });
  for (const temperature of temperatures)
    for (const times of lists) {
      using __ = tensorScope();
      const noises = drawn.map((noise) => atTemperature(noise, temperature));
      const alone = edited(model.editTeacher(), noises, times, { ...condition, firstFrame: null });
      const together = { ...condition, firstFrame: alone.narrow(0, 0, 1) };
      for (const method of methods) {
        const isAlone = method === "frame-by-frame";
        const x0 = isAlone ? alone : edited(denoiserOf(method), noises, times, together);
        rows.push(nameOf(method, temperature, times), figures(x0));
      }
    }
}

for (let index = 0; index < Number(values.clips); index++)
  for (const task of TASKS) noGrad(() => measure(task, index));
console.log(`${"method".padEnd(14)} temp.            times  changed    kept flicker`);
const first = nameOf(methods[0]!, temperatures[0]!, lists[0]!);
for (const method of methods)
  for (const temperature of temperatures)
    for (const times of lists) {
      const name = nameOf(method, temperature, times);
      console.log(`${name}  ${rows.against(name, first)}`);
    }
