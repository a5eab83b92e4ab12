// Where a student goes that learns on the very clips it is looked at on: what of the teachers' scores a LoRA can follow.
// `score-descent` moves latents themselves; this moves weights, from noise drawn anew in every update. What fails here
// fails for want of the right settings, not of clips or of length.
//
//   node bench/student-descent.ts [--model models/tiny] [--updates 40] [--rate 1e-4] [--video-weight 0.2]
//     [--times 0.3,0.98] [--draws 2] [--rank 16] [--layers all] [--seed 1]
//
// One validation clip a task. Columns: dB above the stack's in changed and in kept pixels, and the ratio of flicker to
// the stack's, in the steps that edits have and in those of training; then the gradient's norm.
import { parseArgs } from "node:util";
import { TASKS } from "../src/data/world/tasks.ts";
import { ddim, finish } from "../src/diffusion/samplers.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import {
  DistillationConfig,
  distillationWeights,
} from "../src/eve/distillation/distillation-config.ts";
import { distil, studentLosses } from "../src/eve/distillation/distillation.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { startNoise } from "../src/eve/distillation/start-noise.ts";
import {
  alignedStudent,
  createAlignment,
  frozenStudent,
  holdingFirstFrames,
} from "../src/eve/stack/student.ts";
import { guidedTeachers } from "../src/eve/distillation/teacher-samples.ts";
import { AdamW } from "../src/training/optimizer.ts";
import { Rows, stackedEdit, type StackedEdit } from "./stacked-edit.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    updates: { type: "string", default: "40" },
    rate: { type: "string", default: "1e-4" },
    "video-weight": { type: "string", default: "0.2" },
    times: { type: "string", default: "0.3,0.98" },
    draws: { type: "string", default: "2" },
    rank: { type: "string", default: "16" },
    layers: { type: "string", default: "all" },
    seed: { type: "string", default: "1" },
  },
});

setThreads(2);
const model = EditModel.load(values.model);
const { schedule, networks } = model;
const unguided = { image: 1, text: 1 };
const beta = Number(values["video-weight"]);
const config = DistillationConfig.parse({
  alignment: { rank: Number(values.rank), layers: values.layers },
  kBin: { start: "end" },
  scoreDistillation: {
    times: values.times.split(",").map(Number),
    draws: Number(values.draws),
    guideEdit: unguided,
    guideVideo: unguided,
  },
  alpha: 1 - beta,
  beta,
  lambda: 1,
  recompute: false,
});
const factors = distillationWeights(config);
const objectives = [distil(schedule, config.scoreDistillation, ["sdsEdit", "sdsVideo"])];
const rng = Rng.seed(Number(values.seed));
const alignment = createAlignment(rng.split("student"), networks.unet, config.alignment);
const student = alignedStudent(networks, alignment);
const cast = {
  student: student.denoiser,
  teachers: guidedTeachers(networks, config.scoreDistillation),
};
for (const weight of student.trainable.values()) weight.setRequiresGrad(true);
const adam = new AdamW(student.trainable, { betas: [0.9, 0.99], epsilon: 1e-8, weightDecay: 0 });
const clips = TASKS.map((task) => noGrad(() => stackedEdit(model, task, 0, { steps: 2 })));
const rows = new Rows();
/** Steps of DDIM that the student is looked at in. */
const STEPS = [2, config.kBin.bins];

/** The gradient of the mean over all clips, left on the weights. */
function learn(update: number): void {
  for (const [index, { condition }] of clips.entries()) {
    using _ = tensorScope();
    const own = rng.split(update).split(index);
    const options = { schedule, config, rng: own };
    const terms = studentLosses(cast, objectives, { condition, real: null }, options);
    const weighted = Object.entries(terms).map(([name, term]) => term.mul(factors[name]!));
    const total = weighted.reduce((sum, term) => sum.add(term));
    total.mul(1 / clips.length).backward();
  }
}

/** What the student draws from noise that it was not trained on. */
function figuresOf({ condition, figures }: StackedEdit, index: number, steps: number) {
  using _ = tensorScope();
  const xT = startNoise(condition, "independent", Rng.seed(0).split("look").split(index));
  const drawing = holdingFirstFrames(frozenStudent(student), xT, schedule);
  return figures(finish(ddim(drawing, xT, condition, { schedule, steps })));
}

function look(name: string): void {
  for (const steps of STEPS)
    for (const [index, clip] of clips.entries())
      rows.push(
        `${name} ${steps}`,
        noGrad(() => figuresOf(clip, index, steps)),
      );
}

look("stack");
console.log(`updates  ${STEPS.map((steps) => `${steps} steps: changed kept flicker`).join("   ")}`);
for (let update = 1; update <= Number(values.updates); update++) {
  learn(update);
  const norm = adam.clipGradients(0);
  adam.update(Number(values.rate) * Math.min(1, update / 5));
  adam.clearGradients();
  if (update % 10 !== 0 && update !== 5) continue;
  look(String(update));
  const cells = STEPS.map((steps) => rows.against(`${update} ${steps}`, `stack ${steps}`));
  console.log(`${String(update).padStart(7)}  ${cells.join("    ")}    ${norm.toPrecision(3)}`);
}
