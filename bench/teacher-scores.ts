// Where score distillation points: what each teacher makes of the stack's own edits, noised to a time t, beside the
// world's truth. A teacher has something to teach at t where its x̂₀ is nearer to the truth, or steadier, than what it
// was shown. Settings of `scoreDistillation` (c(t), times, guidance) are chosen by this table.
//
//   node bench/teacher-scores.ts [--model models/tiny] [--clips 4] [--steps 3] [--image 1] [--text 1]
//     [--video-strength 1]
//
// Validation clips of the model's window, `--clips` a task. Training sees many draws of noise, so that what matters is
// the mean of x̂₀ over them: `--draws`. Differences are means over clips, in the model's
// latents decoded: PSNR in dB above the stack's (changed and kept pixels), flicker as a ratio to the stack's.
import { parseArgs } from "node:util";
import { TASKS } from "../src/data/world/tasks.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { normal } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { guidedTeachers } from "../src/eve/distillation/teacher-samples.ts";
import { Rows, stackedEdit } from "./stacked-edit.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    clips: { type: "string", default: "4" },
    steps: { type: "string", default: "3" },
    image: { type: "string", default: "1" },
    text: { type: "string", default: "1" },
    draws: { type: "string", default: "1" },
    "video-strength": { type: "string", default: "1" },
    times: { type: "string", default: "0.05,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.98" },
  },
});
const TIMES = values.times.split(",").map(Number);
const WHO = ["edit", "video", "mean"] as const;

setThreads(2);
const model = EditModel.load(values.model);
const guidance = { image: Number(values.image), text: Number(values.text) };
const teachers = guidedTeachers(model.networks, { guideEdit: guidance, guideVideo: guidance });
const { schedule } = model;
const rows = new Rows();

/** Measures every teacher at every time on one clip. */
function measure(task: (typeof TASKS)[number], index: number): void {
  using _ = tensorScope();
  const { condition, x0, rng, figures } = stackedEdit(model, task, index, {
    steps: Number(values.steps),
    videoStrength: Number(values["video-strength"]),
  });
  rows.push("stack", figures(x0));
  for (const time of TIMES) {
    using __ = tensorScope();
    const t = Math.min(Math.round(time * schedule.steps), schedule.steps - 2);
    const draws = Array.from({ length: Number(values.draws) }, (___, draw) => {
      const noise = normal(rng.split("score").split(t).split(draw), x0.shape);
      const xt = schedule.addNoise(x0, noise, t);
      return {
        edit: teachers.edit.predict(xt, t, condition).x0,
        video: teachers.video.predict(xt, t, condition).x0,
      };
    });
    const [ofEdit, ofVideo] = [draws.map((draw) => draw.edit), draws.map((draw) => draw.video)];
    const targets = {
      edit: average(ofEdit),
      video: average(ofVideo),
      mean: average([...ofEdit, ...ofVideo]),
    };
    for (const who of WHO) rows.push(`${who} ${time}`, figures(targets[who]));
  }
}

function average(samples: readonly Float<"f c h w">[]): Float<"f c h w"> {
  return Tensor.stack([...samples], 0).mean([0]);
}

for (let index = 0; index < Number(values.clips); index++)
  for (const task of TASKS) noGrad(() => measure(task, index));

console.log(`t/T   ${WHO.map((who) => `${who}: changed    kept flicker`.padEnd(32)).join("")}`);
for (const time of TIMES) {
  const cells = WHO.map((who) => rows.against(`${who} ${time}`).padStart(29).padEnd(32));
  console.log(`${time.toFixed(2)}  ${cells.join("")}`);
}
