// What the teachers' scores, and the way to the truth, ask of three strengths of a stack with a look (§4.4), by first order:
// of what the edit adapter adds to states ("states"), of what its copy head does to the output ("output"), and of the
// look's LoRA ("look"). 0.1: a tenth more would come nearest, as far as a straight line tells.
//
//   node bench/asked-strengths.ts --model <a folder with the look's adapter> --look subject:toy-robot [--count 16] [--text 3]
//
// Validation pictures, without guidance at inference; `--text` also asks the edit teacher guided by the words that closely.
import { parseArgs } from "node:util";
import { FRAME_SPAN } from "../src/data/caches/frame-number.ts";
import { finished, lookRequestAt } from "../src/data/caches/look-requests.ts";
import { parseLook } from "../src/data/world/looks.ts";
import { renderFrame } from "../src/data/world/render.ts";
import type { Denoiser } from "../src/diffusion/denoiser.ts";
import { ddim, finish } from "../src/diffusion/samplers.ts";
import { spacingOf } from "../src/diffusion/timesteps.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { UserError } from "../src/engine/errors.ts";
import { normal, Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { EditStrengths } from "../src/eve/adapters/edit-strength.ts";
import { between } from "../src/eve/adapters/strengths.ts";
import { guidedTeachers } from "../src/eve/distillation/teacher-samples.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import { ModelFolder } from "../src/eve/model/model-folder.ts";
import { loadLook } from "../src/eve/model/parts.ts";
import {
  adaptedDenoiser,
  lookOf,
  stackedNetwork,
  type StackedCondition,
} from "../src/eve/stack/teachers.ts";
import { encoded } from "../src/evaluation/methods/pictures.ts";
import { truthFrame } from "../src/evaluation/world/ground-truth.ts";
import { plainLayer, type ApplyLayer } from "../src/nn/lora.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    look: { type: "string", default: "subject:toy-robot" },
    count: { type: "string", default: "16" },
    text: { type: "string", default: "3" },
  },
});
setThreads(1);
const look = parseLook(values.look);
if (look === null)
  throw new UserError(`expected a look such as style:line-art, got ${values.look}`);
const model = EditModel.load(values.model);
const { schedule, networks: plain } = model;
const { look: lora } = loadLook(new ModelFolder(values.model), plain.unet, `${look.type}-adapter`);
const networks = { ...plain, videoAdapter: null, look: lora };

/** How far each strength is moved either way. */
const MOVED = 0.15;
const TIMES = [150, 300, 450, 600, 750, 880];
/** Noises that a score is taken with, in pairs of opposite ones. */
const NOISES = 4;
const STRENGTHS = ["states", "output", "look"] as const;
const AS_TRAINED = { states: 1, output: 1, look: 1 };

const guided = (text: number) => {
  const guide = { image: 1, text };
  return guidedTeachers(networks, { guideEdit: guide, guideVideo: guide });
};
const teachers = new Map<string, Denoiser<StackedCondition>>([
  ["edit teacher", guided(1).edit],
  [`edit teacher, text ${values.text}`, guided(Number(values.text)).edit],
  ["look's teacher", guided(1).video],
]);

/** The stack with strengths of its own. */
function stackOf({ states, output, look: heard }: typeof AS_TRAINED): Denoiser<StackedCondition> {
  const whole = lookOf(networks);
  const strength = Tensor.full([], heard);
  const apply: ApplyLayer = (layer, x) => between(plainLayer(layer, x), whole(layer, x), strength);
  const editStrength = new EditStrengths({ states, output });
  return adaptedDenoiser(networks, stackedNetwork(networks, apply, { editStrength }));
}

function drawn(
  denoiser: Denoiser<StackedCondition>,
  condition: StackedCondition,
): Float<"b c h w"> {
  const spacing = spacingOf(3, model.defaults.times);
  const start = Tensor.zeros(condition.input.shape);
  return finish(ddim(denoiser, start, condition, { schedule, steps: 3, spacing }));
}

/** Where the mean of several scores points from `x0`; `rng` draws their noises. */
function direction(
  teacher: Denoiser<StackedCondition>,
  x0: Float<"b c h w">,
  t: number,
  { condition, rng }: { readonly condition: StackedCondition; readonly rng: Rng },
): Tensor {
  const all = Array.from({ length: NOISES }, (_, k) => {
    const noise = normal(rng.split(k >> 1), x0.shape).mul(k % 2 === 0 ? 1 : -1);
    return teacher.predict(schedule.addNoise(x0, noise, t), t, condition).x0.sub(x0);
  });
  return all.reduce((sum, each) => sum.add(each)).div(NOISES);
}

const asked = new Map<string, { along: number; length: number }>();
function tell(who: string, wanted: Tensor, moves: ReadonlyMap<string, Tensor>): void {
  for (const [strength, move] of moves) {
    const key = `${strength.padEnd(7)} ${who}`;
    const { along, length } = asked.get(key) ?? { along: 0, length: 0 };
    asked.set(key, {
      along: along + wanted.mul(move).sum().item(),
      length: length + move.square().sum().item(),
    });
  }
}

for (let index = 0; index < Number(values.count); index++) {
  using _ = tensorScope();
  noGrad(() => {
    const request = lookRequestAt(look, "validation", index);
    const { task, instruction, outputCaption: caption } = request;
    const frame = Rng.seed(index).split("frame").integer(FRAME_SPAN);
    const { size } = model;
    const input = encoded(model, [finished(look, renderFrame(request.scene, frame, size), size)]);
    const truth = encoded(model, [finished(look, truthFrame(request, frame, size), size)]);
    const condition = model.stackedCondition({ caption, instruction, task }, input, null);
    const x0 = drawn(stackOf(AS_TRAINED), condition);
    const moves = new Map(
      STRENGTHS.map((strength) => {
        const [more, less] = [MOVED, -MOVED].map((by) =>
          drawn(stackOf({ ...AS_TRAINED, [strength]: 1 + by }), condition),
        );
        return [strength, more!.sub(less!).div(2 * MOVED)];
      }),
    );
    tell("the truth", truth.sub(x0), moves);
    for (const [who, teacher] of teachers)
      for (const t of TIMES) {
        const rng = Rng.seed(index).split(t);
        tell(`${who}, at ${t}`, direction(teacher, x0, t, { condition, rng }), moves);
      }
  });
  process.stderr.write(`${index + 1} of ${values.count} pictures\n`);
}
for (const [key, { along, length }] of asked) console.log(key, (along / length).toFixed(3));
