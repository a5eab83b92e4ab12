import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { clipItems, smallTexts } from "../../../test/support/latent-items.ts";
import { networks as smallStack } from "../../../test/support/small-stack.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { InputSource, UneditedClips } from "../../data/caches/unedited-clips.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { rearrange } from "../../engine/axes.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { editTeacher, stackedCondition } from "../../eve/stack/teachers.ts";
import {
  openDistillationInputs,
  pointOf,
  type DistillationInputsOptions,
} from "./distillation-inputs.ts";
import { DistillationSettings } from "./distillation-settings.ts";

const COUNT = 5;
const texts = smallTexts();
const networks = smallStack();
const stored = clipItems(COUNT);
const clips: UneditedClips = {
  count: COUNT,
  firstIndices: (limit) => stored.firstIndices(limit),
  gather: (name, indices) => stored.gather(name, indices),
  text: (item) => ({
    task: TASKS[item % TASKS.length]!,
    instruction: `do ${item}`,
    outputCaption: `after ${item}`,
  }),
};
const PLAIN = { image: 1, text: 1 };
const samples = { steps: 1, atOnce: 2, guideEdit: PLAIN, guideVideo: PLAIN } as const;

function sourceIn(folder: string, count = COUNT): InputSource {
  return { name: "train", count, open: async () => clips, folderFor: (kind) => join(folder, kind) };
}

function optionsOf(settings: object, teachersHash = "teachers"): DistillationInputsOptions {
  return { networks, texts, settings: DistillationSettings.parse(settings), teachersHash };
}

test("an input is a clip with its own words, and what each teacher drew of it", async () => {
  const inputs = await openDistillationInputs(sourceIn(temporaryFolder()), optionsOf({ samples }));
  using _ = tensorScope();
  const chosen = [3, 1];
  const { condition, real } = pointOf(inputs, texts, chosen);
  const folded = (x: Tensor): Tensor => rearrange(x, "b f c h w -> (b f) c h w");
  const words = (of: "instruction" | "outputCaption"): Tensor =>
    texts.features(chosen.map((item) => clips.text(item)[of]));
  const pairs: readonly (readonly [Tensor, Tensor])[] = [
    [condition.input, folded(clips.gather("clip", chosen))],
    [condition.caption, words("outputCaption")],
    [condition.instruction, words("instruction")],
    [condition.firstFrame!, inputs.firstFrames!.gather("firstFrame", chosen)],
    [real!.edit, folded(inputs.samples!.gather("edit", chosen))],
    [real!.video, folded(inputs.samples!.gather("video", chosen))],
  ];
  for (const [found, wanted] of pairs) expect(largestDifference(found, wanted)).toBe(0);
  expect([...condition.tasks.toFloat32Array()]).toEqual(chosen);
});

test("first frames are what the edit teacher makes of each clip's first frame, by its words", async () => {
  const still = { ...samples, steps: 2, temperature: 0 };
  const own = optionsOf({ samples: still, terms: ["sdsEdit"] });
  const { firstFrames } = await openDistillationInputs(sourceIn(temporaryFolder()), own);
  using _ = tensorScope();
  for (const item of [0, 3, 4]) {
    const { task, instruction, outputCaption } = clips.text(item);
    const parts = {
      caption: texts.features([outputCaption]),
      instruction: texts.features([instruction]),
      tasks: Tensor.from([TASKS.indexOf(task)], [1], "int64"),
      input: clips.gather("clip", [item]).select(1, 0),
      firstFrame: null,
    };
    const condition = stackedCondition(parts, texts.features([""]));
    const xT = Tensor.zeros(parts.input.shape);
    const options = { schedule: networks.schedule, steps: 2 };
    const wanted = finish(ddim(editTeacher(networks), xT, condition, options));
    // kept in float16
    const found = firstFrames!.gather("firstFrame", [item]);
    expect(largestDifference(found, wanted), `clip ${item}`).toBeLessThan(0.01);
  }
});

test("no two clips are drawn from the same noise", async () => {
  const first = (name: string, indices: readonly number[]): Tensor =>
    stored.gather(
      name,
      indices.map(() => 0),
    );
  const alike = { ...clips, text: () => clips.text(0), gather: first };
  const source = { ...sourceIn(temporaryFolder()), open: async () => alike };
  const inputs = await openDistillationInputs(source, optionsOf({ samples }));
  using _ = tensorScope();
  const all = clips.firstIndices(COUNT);
  for (const drawn of [
    inputs.firstFrames!.gather("firstFrame", all),
    inputs.samples!.gather("edit", all),
  ])
    for (const item of all.slice(1))
      expect(largestDifference(drawn.select(0, item), drawn.select(0, 0))).toBeGreaterThan(0.01);
});

test.each([
  ["by other teachers", {}, "others", [2, 2]],
  ["in other steps", { samples: { ...samples, steps: 2 } }, "teachers", [2, 2]],
  ["at another temperature", { samples: { ...samples, temperature: 0 } }, "teachers", [2, 2]],
  ["so many at once", { samples: { ...samples, atOnce: 1 } }, "teachers", [2, 2]],
  [
    "by an edit teacher that is guided otherwise",
    { samples: { ...samples, guideEdit: { image: 1, text: 2 } } },
    "teachers",
    [2, 2],
  ],
  [
    "by a video teacher that is guided otherwise",
    { samples: { ...samples, guideVideo: { image: 1, text: 2 } } },
    "teachers",
    [1, 2],
  ],
  ["with no first frame held", { holdFirstFrame: false }, "teachers", [1, 2]],
] as const)("what was drawn is drawn again %s, where that makes a difference", async (...row) => {
  const [, settings, teachersHash, counts] = row;
  const folder = temporaryFolder();
  const source = sourceIn(folder, 1);
  await openDistillationInputs(source, optionsOf({ samples }));
  await openDistillationInputs(source, optionsOf({ samples, ...settings }, teachersHash));
  const drawn = ["first-frames", "teacher-samples"].map((kind) => readdirSync(join(folder, kind)));
  expect(drawn.map(({ length }) => length)).toEqual(counts);
});
