// Where score distillation points: what each teacher makes of the stack's own edits, noised to a time t, beside the
// world's truth. A teacher has something to teach at t where its x̂₀ is nearer to the truth, or steadier, than what it
// was shown. Settings of `scoreDistillation` (c(t), times, guidance) are chosen by this table.
//
//   node bench/teacher-scores.ts [--model models/tiny] [--clips 4] [--steps 3] [--image 1] [--text 1]
//
// Validation clips of the model's window, `--clips` a task. Training sees many draws of noise, so that what matters is
// the mean of x̂₀ over them: `--draws`. Differences are means over clips, in the model's
// latents decoded: PSNR in dB above the stack's (changed and kept pixels), flicker as a ratio to the stack's.
import { parseArgs } from "node:util";
import { toPixels } from "../src/data/pixels.ts";
import { sampleEdit } from "../src/data/world/edits.ts";
import { renderClip } from "../src/data/world/render.ts";
import { TASKS } from "../src/data/world/tasks.ts";
import { ddim, finish } from "../src/diffusion/samplers.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { normal, Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { flickerError } from "../src/evaluation/flicker.ts";
import { truthClip } from "../src/evaluation/ground-truth.ts";
import { psnr } from "../src/evaluation/psnr.ts";
import { changedRegion } from "../src/evaluation/success.ts";
import { unitRange } from "../src/evaluation/unit-range.ts";
import { EditModel } from "../src/eve/edit-model.ts";
import { startNoise } from "../src/eve/start-noise.ts";
import { guidedTeachers } from "../src/eve/teacher-samples.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    clips: { type: "string", default: "4" },
    steps: { type: "string", default: "3" },
    image: { type: "string", default: "1" },
    text: { type: "string", default: "1" },
    draws: { type: "string", default: "1" },
    times: { type: "string", default: "0.05,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.98" },
  },
});
const TIMES = values.times.split(",").map(Number);
const WHO = ["edit", "video", "mean"] as const;

setThreads(2);
const model = EditModel.load(values.model);
const guidance = { image: Number(values.image), text: Number(values.text) };
const teachers = guidedTeachers(model.networks, { guideEdit: guidance, guideVideo: guidance });
const { schedule, size, window } = model;
const FIRST_STEPS = 2;

/** Figures of one picture series beside the truth. */
interface Figures {
  readonly changed: number | null;
  readonly kept: number | null;
  readonly flicker: number;
}
const rows = new Map<string, Figures[]>();

/** Measures every teacher at every time on one clip. */
function measure(task: (typeof TASKS)[number], index: number): void {
  using _ = tensorScope();
  const request = sampleEdit("validation", index, task);
  const unit = (frames: readonly Uint8Array[]): Float<"f 3 h w"> =>
    unitRange(toPixels(frames, size, size));
  const inputFrames = renderClip(request.scene, window, size);
  const before = unit(inputFrames);
  const truth = unit(truthClip(request, window, size));
  const changed = changedRegion(before, truth);
  const kept = changed.mul(-1).add(1);
  const figures = (latents: Float<"f c h w">): Figures => {
    using __ = tensorScope();
    const seen = unitRange(model.decode(latents));
    return {
      changed: psnr(seen, truth, changed),
      kept: psnr(seen, truth, kept),
      flicker: flickerError(seen, truth),
    };
  };
  const rng = Rng.seed(0).split(task).split(index);
  const texts = { caption: request.outputCaption, instruction: request.instruction, task };
  const input = model.encode(toPixels(inputFrames, size, size));
  const edit = model.editCondition(texts, input);
  const firstNoise = startNoise(edit, "independent", rng.split("first")).narrow(0, 0, 1);
  const firstCondition = model.editCondition(texts, input.narrow(0, 0, 1));
  const first = finish(
    ddim(model.editTeacher(), firstNoise, firstCondition, { schedule, steps: FIRST_STEPS }),
  );
  const condition = model.stackedCondition(texts, input, first);
  const xT = startNoise(condition, "independent", rng.split("noise"));
  const student = finish(
    ddim(model.stacked(), xT, condition, { schedule, steps: Number(values.steps) }),
  );
  push("stack", figures(student));
  for (const time of TIMES) {
    using __ = tensorScope();
    const t = Math.min(Math.round(time * schedule.steps), schedule.steps - 2);
    const draws = Array.from({ length: Number(values.draws) }, (___, draw) => {
      const noise = normal(rng.split("score").split(t).split(draw), student.shape);
      const xt = schedule.addNoise(student, noise, t);
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
    for (const who of WHO) push(`${who} ${time}`, figures(targets[who]));
  }
}

function average(samples: readonly Float<"f c h w">[]): Float<"f c h w"> {
  return Tensor.stack([...samples], 0).mean([0]);
}

function push(row: string, figures: Figures): void {
  rows.set(row, [...(rows.get(row) ?? []), figures]);
}

for (let index = 0; index < Number(values.clips); index++)
  for (const task of TASKS) noGrad(() => measure(task, index));

/** The mean over clips of `row` against the stack, by `compare`, where both have the figure. */
function mean(
  row: string,
  key: keyof Figures,
  compare: (of: number, stack: number) => number,
): string {
  const stack = rows.get("stack")!;
  const found = rows.get(row)!.flatMap((figures, i) => {
    const [of, base] = [figures[key], stack[i]![key]];
    return of === null || base === null ? [] : [compare(of, base)];
  });
  return (found.reduce((sum, value) => sum + value, 0) / found.length).toFixed(2).padStart(7);
}

const difference = (of: number, stack: number): number => of - stack;
const ratio = (of: number, stack: number): number => of / stack;
console.log(`t/T   ${WHO.map((who) => `${who}: changed    kept flicker`.padEnd(32)).join("")}`);
for (const time of TIMES) {
  const cells = WHO.map((who) => {
    const row = `${who} ${time}`;
    const numbers = [
      mean(row, "changed", difference),
      mean(row, "kept", difference),
      mean(row, "flicker", ratio),
    ];
    return numbers.join(" ").padStart(29).padEnd(32);
  });
  console.log(`${time.toFixed(2)}  ${cells.join("")}`);
}
