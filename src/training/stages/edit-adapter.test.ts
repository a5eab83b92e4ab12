import { beforeEach, describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { editItems, itemOf, smallTexts } from "../../../test/support/latent-items.ts";
import { disturbed, SMALL, smallNetworks } from "../../../test/support/small-model.ts";
import { batchOf } from "../../../test/support/stage-batch.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { networkDenoiser } from "../../diffusion/denoiser.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditInputs } from "../../eve/adapters/branches.ts";
import type { EditAdapter } from "../../eve/adapters/edit-adapter.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { editAdapterStage, type EditMaterial, type TaughtBatch } from "./edit-adapter.ts";
import { lossInUse } from "./in-use.ts";
import { noiseBatch, placeWeights, velocityLoss } from "./velocity.ts";

const schedule = createSchedule(SMALL.schedule);
const sampling = { times: [999, 400, 100], temperature: 0 };
const texts = smallTexts();
const [train, held] = [editItems(14), editItems(7, 4)];
const material: EditMaterial = {
  train,
  held,
  texts,
  schedule,
  sampling,
  frozen: new Map(),
  draw: () => [],
};
const NO_DROPS = { dropCaption: 0, dropInstruction: 0, dropPicture: 0 };
const BATCH = 8;

let unet: UNet;
let adapter: EditAdapter;

beforeEach(() => {
  const networks = smallNetworks();
  unet = networks.unet;
  adapter = disturbed(networks.editAdapter);
});

function open(settings: object, own: Partial<EditMaterial> = {}): Stage<TaughtBatch> {
  const stage = { ...NO_DROPS, ...settings };
  const config = TrainConfig.parse({ steps: 4, batch: BATCH, learningRate: 1e-3, stage });
  return editAdapterStage(unet, adapter, { ...material, ...own }, config);
}

type Words = EditInputs & { readonly caption: Float<"b n d"> };

function network(xt: Float<"b c h w">, t: Float<"b">, words: Words): Float<"b c h w"> {
  return unet.forward(xt, t, words.caption, { residuals: adapter.forward(xt, t, words) });
}

test("an item is one edit: what it makes, of what, by its own words and its task", () => {
  using _ = tensorScope();
  const { x0, input, caption, instruction, tasks } = batchOf(open({}));
  const items = Array.from({ length: BATCH }, (__, row) =>
    itemOf(train, "after", x0.narrow(0, row, 1)),
  );
  expect(items).not.toContain(-1);
  expect(new Set(items).size).toBeGreaterThan(2);
  const words = items.map((item) => train.text(item));
  expect(largestDifference(input, train.gather("before", items))).toBe(0);
  const captions = texts.features(words.map(({ outputCaption }) => outputCaption));
  expect(largestDifference(caption, captions)).toBe(0);
  const instructions = texts.features(words.map((of) => of.instruction));
  expect(largestDifference(instruction, instructions)).toBe(0);
  expect([...tasks.toFloat32Array()]).toEqual(words.map(({ task }) => TASKS.indexOf(task)));
});

test("tasks are shown by their odds", () => {
  using _ = tensorScope();
  const taskOdds = Object.fromEntries(TASKS.map((task) => [task, task === "add" ? 1 : 0]));
  const { tasks } = batchOf(open({ taskOdds }));
  expect(new Set(tasks.toFloat32Array())).toEqual(new Set([TASKS.indexOf("add")]));
});

test("the backbone is frozen, bit for bit", () => {
  const { frozen } = open({});
  for (const [name, weight] of unet.parameters())
    expect(frozen.get(`backbone.${name}`)).toBe(weight);
});

describe("the loss", () => {
  const weighed = { noiseBias: 2, changeWeight: 2, keptWeight: 3, largestShare: 4 };

  test("is the velocity's, at times by the bias, with places weighed by what the edit changes", () => {
    using _ = tensorScope();
    const stage = open(weighed);
    const batch = batchOf(stage);
    const rng = Rng.seed(11);
    const found = stage.losses(batch, rng);
    const noised = noiseBatch(batch.x0, schedule, rng, { bias: 2 });
    const weights = placeWeights(batch.x0, batch.input, weighed);
    const wanted = velocityLoss(network(noised.xt, noised.labels, batch), noised, weights);
    expect(Object.keys(found)).toEqual(["velocity"]);
    expect(found["velocity"]!.item()).toBeCloseTo(wanted.item(), 6);
  });

  test("of a share of the batch is that in use, as the model is sampled, of the rest the velocity's", () => {
    using _ = tensorScope();
    const used = { inUse: 0.25, inUseError: "absolute", inUseLearned: "one" } as const;
    const stage = open({ ...weighed, ...used });
    const batch = batchOf(stage);
    const part = (from: number, count: number) => {
      const of = (x: Tensor): Tensor => x.narrow(0, from, count);
      const { x0, input, caption, instruction, tasks } = batch;
      const words = { caption: of(caption), instruction: of(instruction), tasks: of(tasks) };
      const pictures = { x0: of(x0), input: of(input) };
      return { ...pictures, ...words, weights: placeWeights(of(x0), of(input), weighed) };
    };
    const [first, rest] = [part(0, 2), part(2, 6)];
    const rng = Rng.seed(11);
    const found = stage.losses(batch, rng);
    const noised = noiseBatch(rest.x0, schedule, rng, { bias: 2 });
    const velocity = velocityLoss(network(noised.xt, noised.labels, rest), noised, rest.weights);
    expect(found["velocity"]!.item()).toBeCloseTo(velocity.item(), 6);
    const denoiser = networkDenoiser<Words>({ schedule, kind: "v", network });
    const own = { schedule, sampling, rng: rng.split("in use"), weights: first.weights };
    const inUse = lossInUse(denoiser, first.x0, first, {
      ...own,
      error: used.inUseError,
      learned: used.inUseLearned,
    });
    expect(found["inUse"]!.item()).toBeCloseTo(inUse.item(), 6);
  });
});

describe("on held edits", () => {
  const numbersOf = (settings: object, own?: Partial<EditMaterial>) =>
    open(settings, own).validate!() as Record<string, number>;

  test("nothing is left out and all places count alike, whatever the settings say", () => {
    const plain = numbersOf({});
    const drops = { dropCaption: 1, dropInstruction: 1, dropPicture: 1 };
    expect(numbersOf({ ...drops, changeWeight: 2, keptWeight: 3 })).toEqual(plain);
  });

  test("captions are left out for one of the numbers, and instructions are not", () => {
    const numbers = numbersOf({});
    const silent = editItems(7, 4);
    const textOf = silent.text.bind(silent);
    silent.text = (item) => ({ ...textOf(item), outputCaption: "" });
    expect(numbers["withoutCaption"]).not.toBe(numbers["velocity"]);
    expect(numbersOf({}, { held: silent })["velocity"]).toBe(numbers["withoutCaption"]);
  });

  test("all steps in use count, where some are learned as in use", () => {
    const settings = { inUse: 0.5 };
    const all = numbersOf(settings);
    expect(Object.keys(all)).toEqual(["velocity", "withoutCaption", "inUse"]);
    expect(numbersOf({ ...settings, inUseLearned: "one" })).toEqual(all);
  });
});
