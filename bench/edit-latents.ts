// What an edit adapter makes of single frames, in latents: whether an edit is left undone, goes another way or is
// done, after its first step and its last. Nothing is decoded and nobody counts successes, so that few frames tell two
// adapters apart; without guidance.
//
//   node bench/edit-latents.ts [--model models/tiny] [--count 80] [--frame 4] [--split validation] [--from 0] [--things]
//
// With `--split train`, a `--from` of 0 shows frames of scenes it learned by, one past a seventh of `stage.items` frames of
// scenes that it never saw. `--things` tells frames apart by how many things their scene has.
//
// Means over `--count` frames a task. Changed places are those whose latents the right edit moves by more than 0.35, where
// latents have a deviation of one; the others are kept.
//   error: mean size of the error in changed places, by that of the input there; 0 is the right edit, 1 a copy
//   way: how far changed places are moved, by how far they should be
//   direction: cosine between the way gone and the right one, all changed places of a frame together
//   undone: share of the frames whose way is below 0.4
//   kept: mean size of the error in kept places
import { parseArgs } from "node:util";
import { oneOf } from "../src/cli/arguments.ts";
import { sampleEdit } from "../src/data/world/edits.ts";
import { TASKS, type Task } from "../src/data/world/tasks.ts";
import { renderTriplet } from "../src/data/world/triplet.ts";
import type { Prediction } from "../src/diffusion/prediction.ts";
import { ddimJump } from "../src/diffusion/samplers.ts";
import { noGrad } from "../src/engine/autodiff.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { EditModel } from "../src/eve/model/edit-model.ts";
import type { EditCondition } from "../src/eve/stack/teachers.ts";
import { mean } from "../src/evaluation/statistics/bootstrap.ts";
import { encoded } from "../src/evaluation/methods/pictures.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    count: { type: "string", default: "80" },
    frame: { type: "string", default: "4" },
    split: { type: "string", default: "validation" },
    from: { type: "string", default: "0" },
    things: { type: "boolean", default: false },
  },
});
const [count, frame, start] = [Number(values.count), Number(values.frame), Number(values.from)];
const split = oneOf("--split", values.split, ["train", "validation"] as const);
const BATCH = 16;
const CHANGED_ABOVE = 0.35;
const UNDONE_BELOW = 0.4;
/** Kept places, fewer of which are not measured. */
const FEWEST_KEPT = 4;

const model = EditModel.load(values.model);
const teacher = model.editTeacher();
const times = model.defaults.times ?? [999, 749, 499, 249];

/** Frames edited side by side: what they show, what they should, and all that is told of the edit. */
interface Frames {
  /** How many things each scene has. */
  readonly things: readonly number[];
  readonly input: Float<"b c h w">;
  readonly truth: Float<"b c h w">;
  readonly condition: EditCondition;
}

function drawFrames(task: Task, from: number, size: number): Frames {
  const requests = Array.from({ length: size }, (_, index) =>
    sampleEdit(split, start + from + index, task),
  );
  const pictures = requests.map((request) => renderTriplet(request, split, frame, model.size));
  const input = encoded(
    model,
    pictures.map(({ before }) => before),
  );
  const truth = encoded(
    model,
    pictures.map(({ after }) => after),
  );
  const each = requests.map(({ instruction, outputCaption }) =>
    model.editCondition({ caption: outputCaption, instruction, task }, input),
  );
  const together = (of: (condition: EditCondition) => Tensor): Tensor =>
    Tensor.cat(each.map(of), 0);
  const condition = {
    ...each[0]!,
    caption: together(({ caption }) => caption),
    instruction: together(({ instruction }) => instruction),
    tasks: together(({ tasks }) => tasks),
  };
  const things = requests.map(({ scene }) => scene.objects.length);
  return { things, input, truth, condition };
}

/** The edits after each step, from no noise. */
function edits({ input, condition }: Frames): Float<"b c h w">[] {
  const made: Prediction[] = [];
  for (const t of times) {
    const before = made.at(-1);
    const xt = before ? ddimJump(before, model.schedule, t) : Tensor.zeros(input.shape);
    made.push(teacher.predict(xt, t, condition));
  }
  return made.map(({ x0 }) => x0);
}

/** What is measured of one frame; null where too little is kept for that to count. */
interface Figures {
  readonly things: number;
  readonly first: number;
  readonly error: number;
  readonly way: number;
  readonly direction: number;
  readonly kept: number | null;
}

function figuresOf(frames: Frames, steps: readonly Float<"b c h w">[], index: number): Figures {
  const own = (latents: Float<"b c h w">): Float<"1 c h w"> => latents.narrow(0, index, 1);
  const [input, truth] = [own(frames.input), own(frames.truth)];
  const [first, last] = [own(steps[0]!), own(steps.at(-1)!)];
  const distance = truth.sub(input).square().mean([1], { keepDim: true }).sqrt();
  const changed = distance.gt(CHANGED_ABOVE).to("float32");
  const keptPlaces = changed.mul(-1).add(1);
  const sizeIn = (places: Tensor, latents: Tensor): number =>
    latents.abs().mean([1], { keepDim: true }).mul(places).sum().item() /
    Math.max(1, places.sum().item());
  const asked = sizeIn(changed, truth.sub(input));
  const gone = last.sub(input).mul(changed);
  const right = truth.sub(input).mul(changed);
  return {
    things: frames.things[index]!,
    first: sizeIn(changed, first.sub(truth)) / asked,
    error: sizeIn(changed, last.sub(truth)) / asked,
    way: sizeIn(changed, last.sub(input)) / asked,
    direction: gone.mul(right).sum().item() / (gone.norm().item() * right.norm().item()),
    kept: keptPlaces.sum().item() < FEWEST_KEPT ? null : sizeIn(keptPlaces, last.sub(truth)),
  };
}

function measured(task: Task): Figures[] {
  const found: Figures[] = [];
  for (let from = 0; from < count; from += BATCH) {
    using _ = tensorScope();
    noGrad(() => {
      const size = Math.min(BATCH, count - from);
      const frames = drawFrames(task, from, size);
      const steps = edits(frames);
      for (let index = 0; index < size; index++) found.push(figuresOf(frames, steps, index));
    });
  }
  // In a few frames the thing that changes is out of sight: there is no way to go
  return found.filter(({ error }) => Number.isFinite(error));
}

function print(name: string, figures: readonly Figures[]): void {
  const of = (key: keyof Figures): string =>
    (mean(figures.map((one) => one[key]).filter((value) => value !== null)) ?? 0).toFixed(3);
  const undone = mean(figures.map(({ way }) => Number(way < UNDONE_BELOW))) ?? 0;
  const cells = [of("first"), of("error"), of("way"), of("direction")];
  const share = `${(100 * undone).toFixed(0)} %`;
  console.log(
    [name.padEnd(10), ...[...cells, share, of("kept")].map((cell) => cell.padStart(11))].join(""),
  );
}

const HEADINGS = ["first error", "error", "way", "direction", "undone", "kept"];
console.log(["".padEnd(10), ...HEADINGS.map((heading) => heading.padStart(11))].join(""));
const all: Figures[] = [];
for (const task of TASKS) {
  const figures = measured(task);
  print(task, figures);
  if (values.things) {
    const groups = Map.groupBy(figures, ({ things }) => things);
    for (const things of [...groups.keys()].toSorted((a, b) => a - b))
      print(`  of ${things}`, groups.get(things)!);
  }
  all.push(...figures);
}
print("all", all);
