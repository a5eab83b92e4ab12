// Where score distillation ends: the stack's own edits, moved by the teachers' scores alone, beside the world's truth.
// No student is trained: each clip's latents are the learner, which is what a student would come to that could follow
// its gradient exactly. What gets worse here, no LoRA and no length of training makes better, so settings of
// `scoreDistillation` are tried here first: a run takes minutes.
//
//   node bench/score-descent.ts [--model models/tiny] [--clips 1] [--updates 40]
//     [--edit-times 0.02,0.98] [--video-times 0.02,0.98] [--video-weight 0.5] [--weight sigmaSquared]
//     [--image 1] [--text 1] [--video-strength 1]
//
// Each update draws one time (in both ranges alike) and one noise, and subtracts `rate·c(t)·(ε̂ − ε)` of both teachers,
// weighted; first frames stay as they are. Columns: dB above the stack's in changed and in kept pixels, and the ratio of
// flicker to the stack's, for the running mean of the latents over the last half of the updates so far.
import { parseArgs } from "node:util";
import { TASKS } from "../src/data/world/tasks.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { normal } from "../src/engine/random.ts";
import { keep, tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { ScoreDistillationConfig } from "../src/eve/distillation/distillation-config.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { weightedScore } from "../src/eve/distillation/score-distillation.ts";
import { guidedTeachers } from "../src/eve/distillation/teacher-samples.ts";
import { Rows, stackedEdit } from "./stacked-edit.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    clips: { type: "string", default: "1" },
    steps: { type: "string", default: "2" },
    updates: { type: "string", default: "40" },
    rate: { type: "string", default: "0.5" },
    "edit-times": { type: "string", default: "0.02,0.98" },
    "video-times": { type: "string", default: "0.02,0.98" },
    "video-weight": { type: "string", default: "0.5" },
    weight: { type: "string", default: "sigmaSquared" },
    image: { type: "string", default: "1" },
    text: { type: "string", default: "1" },
    "video-strength": { type: "string", default: "1" },
  },
});

setThreads(2);
const model = EditModel.load(values.model);
const { schedule } = model;
const guidance = { image: Number(values.image), text: Number(values.text) };
const { edit, video } = guidedTeachers(model.networks, {
  guideEdit: guidance,
  guideVideo: guidance,
});
const options = { schedule, config: ScoreDistillationConfig.parse({ weight: values.weight }) };
const [editTimes, videoTimes] = [range(values["edit-times"]), range(values["video-times"])];
const beta = Number(values["video-weight"]);
const LAST = Number(values.updates);
const rows = new Rows();
/** Updates after which the latents are looked at. */
const LOOKS = [5, 10, 20, 40, 80, 160].filter((look) => look <= LAST);

function range(text: string): readonly [number, number] {
  const [first, last] = text.split(",").map(Number);
  return [first!, last!];
}

function timeAt(share: number, [first, last]: readonly [number, number]): number {
  return Math.min(
    Math.round((first + share * (last - first)) * schedule.steps),
    schedule.steps - 2,
  );
}

function descend(task: (typeof TASKS)[number], index: number): void {
  using _ = tensorScope();
  const { condition, x0, rng, figures } = stackedEdit(model, task, index, {
    steps: Number(values.steps),
    videoStrength: Number(values["video-strength"]),
  });
  rows.push("stack", figures(x0));
  const behindFirst = Tensor.from(
    Array.from({ length: x0.shape[0]! }, (__, frame) => Math.min(frame, 1)),
    [x0.shape[0]!, 1, 1, 1],
  );
  let latents = x0;
  const passed: Float<"f c h w">[] = [];
  for (let update = 1; update <= LAST; update++) {
    using __ = tensorScope();
    const own = rng.split("descent").split(update);
    const share = own.split("time").uniform();
    const noise = normal(own.split("noise"), x0.shape);
    const noised = (t: number) => ({ xt: schedule.addNoise(latents, noise, t), noise, t });
    const byEdit = weightedScore(edit, noised(timeAt(share, editTimes)), condition, options);
    const byVideo = weightedScore(video, noised(timeAt(share, videoTimes)), condition, options);
    const both = byEdit.mul(1 - beta).add(byVideo.mul(beta));
    latents = keep(latents.sub(both.mul(behindFirst).mul(Number(values.rate))));
    passed.push(latents);
    if (!LOOKS.includes(update)) continue;
    const mean = Tensor.stack(passed.slice(Math.floor(update / 2)), 0).mean([0]);
    rows.push(String(update), figures(mean));
  }
}

for (let index = 0; index < Number(values.clips); index++)
  for (const task of TASKS) noGrad(() => descend(task, index));
console.log("updates  changed    kept flicker");
for (const look of LOOKS) console.log(`${String(look).padStart(7)}  ${rows.against(String(look))}`);
