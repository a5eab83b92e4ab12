// How much of the score is noise, by how many noised samples an edit is scored on: what `scoreDistillation.draws` buys.
//
//   node bench/score-noise.ts [--model models/tiny] [--times 0.1,0.6] [--weight sigmaSquared] [--clips 3] [--repeats 8]
//
// On the stack's edits of validation clips, for each teacher: the mean square of one estimate's distance to the mean of
// all, in units of that mean's own square. Below one the signal is larger than the noise. `opposite` draws are those of
// `addNoise`, in pairs of a noise and its opposite; `free` ones are as many single calls of it.
import { parseArgs } from "node:util";
import { TASKS } from "../src/data/world/tasks.ts";
import type { Denoiser } from "../src/diffusion/denoiser.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import type { Rng } from "../src/engine/random.ts";
import { scoped, tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { ScoreDistillationConfig } from "../src/eve/distillation/distillation-config.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { addNoise, weightedScore } from "../src/eve/distillation/score-distillation.ts";
import { guidedTeachers } from "../src/eve/distillation/teacher-samples.ts";
import type { StackedCondition } from "../src/eve/stack/teachers.ts";
import { stackedEdit, type StackedEdit } from "./stacked-edit.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    times: { type: "string", default: "0.1,0.6" },
    weight: { type: "string", default: "sigmaSquared" },
    clips: { type: "string", default: "3" },
    repeats: { type: "string", default: "8" },
  },
});

setThreads(2);
const model = EditModel.load(values.model);
const { schedule } = model;
const unguided = { image: 1, text: 1 };
const teachers = guidedTeachers(model.networks, { guideEdit: unguided, guideVideo: unguided });
const times = values.times.split(",").map(Number);
const config = ScoreDistillationConfig.parse({ times, weight: values.weight });

/** How an estimate is made: calls of `addNoise`, and the draws of each. */
const KINDS = [
  { name: "1 free", calls: 1, draws: 1 },
  { name: "2 free", calls: 2, draws: 1 },
  { name: "2 opposite", calls: 1, draws: 2 },
  { name: "4 free", calls: 4, draws: 1 },
  { name: "4 opposite", calls: 1, draws: 4 },
] as const;
type Kind = (typeof KINDS)[number];
type Name = "edit" | "video";

function estimate(
  name: Name,
  { condition, x0 }: StackedEdit,
  { calls, draws }: Kind,
  rng: Rng,
): Float<"f c h w"> {
  const options = { schedule, config: { ...config, draws } };
  const teacher: Denoiser<StackedCondition> = teachers[name];
  const scores = Array.from({ length: calls }, (_, call) =>
    addNoise(x0, rng.split(call), options).map((noised) =>
      weightedScore(teacher, noised, condition, options),
    ),
  );
  return Tensor.stack(scores.flat(), 0).mean([0]);
}

/** Mean square of the distance to the mean, over the mean's own square, for each kind. */
function shares(name: Name, edit: StackedEdit): number[] {
  using _ = tensorScope();
  const all = KINDS.map((kind) =>
    Array.from({ length: Number(values.repeats) }, (__, repeat) =>
      scoped(() => estimate(name, edit, kind, edit.rng.split(kind.name).split(repeat))),
    ),
  );
  const mean = Tensor.stack(all.flat(), 0).mean([0]);
  const signal = mean.square().mean().item();
  return all.map((estimates) => {
    const distances = estimates.map((one) => one.sub(mean).square().mean().item());
    return distances.reduce((sum, distance) => sum + distance, 0) / distances.length / signal;
  });
}

for (const name of ["edit", "video"] as const) {
  const clips = TASKS.slice(0, Number(values.clips)).map((task) =>
    noGrad(() => {
      using _ = tensorScope();
      return shares(name, stackedEdit(model, task, 0, { steps: 2 }));
    }),
  );
  const cells = KINDS.map((kind, i) => {
    const mean = clips.reduce((sum, clip) => sum + clip[i]!, 0) / clips.length;
    return `${kind.name}: ${mean.toFixed(3)}`;
  });
  console.log(`${name.padEnd(5)}  ${cells.join("   ")}`);
}
