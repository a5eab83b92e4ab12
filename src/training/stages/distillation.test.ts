import { beforeAll, describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import {
  SMALL_AUTOENCODER,
  smallTextEncoderConfig,
  smallTokenizer,
} from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { batchOf } from "../../../test/support/stage-batch.ts";
import { networks as smallStack } from "../../../test/support/small-stack.ts";
import { TextCache } from "../../data/caches/text-cache.ts";
import { worldInputs, type UneditedSource } from "../../data/caches/unedited-clips.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { autocast } from "../../engine/settings.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Jury } from "../../eve/critics/adversarial-objective.ts";
import {
  AdversarialConfig,
  AugmentationConfig,
  CriticConfig,
} from "../../eve/critics/critic-config.ts";
import { EditCritic, VideoCritic } from "../../eve/critics/critics.ts";
import { stacked } from "../../eve/stack/teachers.ts";
import { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { parametersOf } from "../../nn/module.ts";
import { TrainConfig } from "../config.ts";
import { FrozenGuard } from "../frozen.ts";
import { startState, trainStep } from "../step.ts";
import {
  openDistillationInputs,
  type DistillationInputs,
  type DistillationInputsOptions,
} from "./distillation-inputs.ts";
import { DistillationSettings } from "./distillation-settings.ts";
import { distillationStage, type DistillationMaterial } from "./distillation.ts";

const folder = temporaryFolder();
const rng = Rng.seed(71);
const autoencoder = new Autoencoder(rng.split("autoencoder"), SMALL_AUTOENCODER);
const tokenizer = smallTokenizer(folder);
const encoder = new TextEncoder(
  rng.split("text"),
  smallTextEncoderConfig(tokenizer.vocabularySize),
);
const texts = new TextCache(encoder, tokenizer);
const vision = new VisionTransformer(
  rng.split("vision"),
  resolveVisionConfig({
    imageSize: 32,
    patchSize: 8,
    width: 16,
    layers: 1,
    heads: 2,
    expansion: 2,
  }),
);
const quick = {
  alignment: { rank: 2 },
  scoreDistillation: { guideEdit: { image: 1, text: 1 }, guideVideo: { image: 1, text: 1 } },
  samples: { steps: 1, guideEdit: { image: 1, text: 1 }, guideVideo: { image: 1, text: 1 } },
  adversarialFrom: 2,
};
const source: UneditedSource = {
  folder,
  autoencoder,
  autoencoderHash: "abc",
  split: "train",
  size: 32,
  frames: 3,
  count: 9,
};

function juryOf(): Jury {
  const config = CriticConfig.parse({ depths: [0, 1], channels: 8, heads: 2, textFeatures: 16 });
  return {
    edit: new EditCritic(rng.split("D_e"), vision, config),
    video: new VideoCritic(rng.split("D_v"), vision, config),
    decode: (latents) => autocast("bfloat16", () => autoencoder.decode(latents)),
    losses: AdversarialConfig.parse({}),
    augmentation: AugmentationConfig.parse({}),
  };
}

function configOf(stage: Record<string, unknown> = {}): TrainConfig {
  return TrainConfig.parse({
    steps: 4,
    batch: 2,
    learningRate: 1e-3,
    seed: 3,
    stage: { ...quick, ...stage },
  });
}

const options: DistillationInputsOptions = {
  networks: smallStack(),
  texts,
  settings: DistillationSettings.parse(quick),
  teachersHash: "teachers",
};
let inputs: DistillationInputs;
let held: DistillationInputs;
beforeAll(async () => {
  inputs = await openDistillationInputs(worldInputs(source), options);
  held = await openDistillationInputs(
    worldInputs({ ...source, split: "validation", count: 2 }),
    options,
  );
});

function materialOf(jury: Jury | null = juryOf()): DistillationMaterial {
  return {
    networks: smallStack(),
    dataset: "the world",
    train: inputs,
    held,
    texts,
    jury,
    frozen: parametersOf({ autoencoder, encoder, vision }),
    draw: () => [],
  };
}

describe("the inputs", () => {
  test("are clips, and what the teachers drew of each", () => {
    const { clips, firstFrames, samples } = inputs;
    expect([clips.count, firstFrames!.count, samples!.count]).toEqual([9, 9, 9]);
    expect(clips.gather("clip", [8]).shape).toEqual([1, 3, 4, 8, 8]);
    expect(firstFrames!.gather("firstFrame", [8, 0]).shape).toEqual([2, 4, 8, 8]);
    const edit = samples!.gather("edit", [3, 8]);
    expect(edit.shape).toEqual([2, 3, 4, 8, 8]);
    const video = samples!.gather("video", [3, 8]);
    expect(largestDifference(edit, video)).toBeGreaterThan(0.1);
    // the video teacher's clips begin with the edited first frame, held as the student's is
    const first = firstFrames!.gather("firstFrame", [3, 8]);
    expect(largestDifference(video.select(1, 0), first)).toBe(0);
  });

  test("have no samples where no critic judges, and need none drawn", async () => {
    const settings = DistillationSettings.parse({ ...quick, terms: ["sdsEdit", "sdsVideo"] });
    const plain = await openDistillationInputs(worldInputs(source), { ...options, settings });
    expect(plain.samples).toBeNull();
  });
});

describe("the distillation stage", () => {
  test("trains the LoRA alone: everything else stays as it was, bit for bit", async () => {
    const config = configOf({ terms: ["sdsEdit", "sdsVideo"] });
    const material = materialOf(null);
    const stage = distillationStage(material, config);
    expect(stage.adversaries).toBeNull();
    const { unet, editAdapter, videoAdapter } = material.networks;
    const all = parametersOf({ unet, editAdapter, videoAdapter: videoAdapter! });
    const handles = (weights: Iterable<Tensor>): Set<number> =>
      new Set([...weights].map(({ handle }) => handle));
    const frozen = handles(stage.frozen.values());
    const others = [...all.values(), ...material.frozen.values()];
    expect([...handles(others)].every((handle) => frozen.has(handle))).toBe(true);
    const guard = new FrozenGuard(stage.frozen);
    const state = startState(stage, config);
    while (state.step < 2) expect((await trainStep(stage, config, state)).type).toBe("updated");
    guard.verify();
    const moved = [...stage.trainable].filter(
      ([name, weight]) => name.endsWith(".up") && weight.detach().abs().max().item() > 0,
    );
    expect(moved.length).toBe(stage.trainable.size / 2);
  });

  test("learns how strongly the video adapter is heard, as much faster as its settings say", async () => {
    const stage = distillationStage(
      materialOf(null),
      configOf({ terms: ["sdsEdit", "sdsVideo"], strengthRate: 50, videoStrength: 0.8 }),
    );
    const strengths = [...stage.trainable].filter(([name]) => name.startsWith("videoStrength."));
    expect(strengths.length).toBeGreaterThan(1);
    expect(stage.rates).toEqual(Object.fromEntries(strengths.map(([name]) => [name, 50])));
    const config = configOf({});
    const result = await trainStep(stage, config, startState(stage, config));
    if (result.type !== "updated") throw new TypeError("expected an update");
    expect(result.losses["videoStrength"]).toBeCloseTo(0.8, 5);
    expect(stage.lossWeights["videoStrength"]).toBe(0);
    // Adam's first step is the rate, whatever the gradient
    for (const [name, value] of strengths)
      expect(Math.abs(value.item() - 0.8), name).toBeCloseTo(50 * config.learningRate, 4);
  });

  test("without a video adapter learns how strongly to hear the edit adapter", async () => {
    using _ = tensorScope();
    const material = materialOf(null);
    const { editAdapter } = material.networks;
    const networks = { ...material.networks, videoAdapter: null };
    const settings = { terms: ["sdsEdit", "sdsVideo"], strengthRate: 50, videoStrength: 0.8 };
    const stage = distillationStage({ ...material, networks }, configOf(settings));
    const names = editAdapter.places().map((place) => `editStrength.${place}.value`);
    expect(stage.rates).toEqual(Object.fromEntries(names.map((name) => [name, 50])));
    const config = configOf({});
    const result = await trainStep(stage, config, startState(stage, config));
    if (result.type !== "updated") throw new TypeError("expected an update");
    expect(result.losses["editStrength"]).toBe(1);
    expect(result.losses["videoStrength"]).toBeUndefined();
    for (const name of names) {
      const moved = Math.abs(stage.trainable.get(name)!.item() - 1);
      expect(moved, name).toBeCloseTo(50 * config.learningRate, 4);
    }
  });

  test("begins as the stack, bit for bit", () => {
    using _ = tensorScope();
    const material = materialOf();
    const stage = distillationStage(material, configOf());
    const { condition } = batchOf(stage, 0).point;
    const found = stage.student.denoiser.predict(condition.input, 300, condition).x0;
    const wanted = stacked(material.networks).predict(condition.input, 300, condition).x0;
    expect(largestDifference(found, wanted)).toBe(0);
  });

  test("distils first and sharpens then, with the paper's terms and weights", () => {
    using _ = tensorScope();
    const stage = distillationStage(materialOf(), configOf());
    const termsAt = (step: number): string[] =>
      Object.keys(noGrad(() => stage.losses(batchOf(stage, step), rng)));
    expect(termsAt(1)).toEqual(["sdsEdit", "sdsVideo"]);
    const sharpened = termsAt(2);
    expect(sharpened.filter((name) => stage.lossWeights[name] !== 0)).toEqual([
      "sdsEdit",
      "sdsVideo",
      "genEdit",
      "criticEdit",
      "genVideo",
      "criticVideo",
    ]);
    expect(sharpened.every((name) => name in stage.lossWeights)).toBe(true);
  });

  test("moves the critics in the step in which the student moves", async () => {
    const config = configOf({ adversarialFrom: 0, terms: ["genEdit", "genVideo"] });
    const stage = distillationStage(materialOf(), config);
    const { trainable } = stage.adversaries!;
    expect([...trainable.keys()].every((name) => /^(edit|video)\.heads\./.test(name))).toBe(true);
    const before = new Map([...trainable].map(([name, weight]) => [name, weight.detach().clone()]));
    const result = await trainStep(stage, config, startState(stage, config));
    expect(result).toMatchObject({ type: "updated" });
    expect(result.type === "updated" && result.gradNorm).toBeGreaterThan(0);
    // A score's bias moves real and fake alike: within the hinge its gradient is zero
    const moving = [...trainable].filter(([name]) => !name.endsWith("toScore.bias"));
    for (const [name, weight] of moving)
      expect(largestDifference(weight, before.get(name)!), name).toBeGreaterThan(0);
  });

  test("learns the same where intermediates are kept instead of computed again", async () => {
    const [again, kept] = await Promise.all(
      [true, false].map(async (recompute) => {
        const config = configOf({ adversarialFrom: 0, recompute });
        const jury = { ...juryOf(), recompute };
        const stage = distillationStage(materialOf(jury), config);
        const result = await trainStep(stage, config, startState(stage, config));
        return result.type === "updated" ? result : expect.fail("expected an update");
      }),
    );
    for (const [name, loss] of Object.entries(again!.losses))
      expect(kept!.losses[name], name).toBeCloseTo(loss, 5);
    // bfloat16 where the machine has it: sums come in another order
    expect(kept!.gradNorm / again!.gradNorm).toBeCloseTo(1, 2);
  });

  test("tells how large the gradient of each term is at the student's edit, as often as its settings say", async () => {
    const config = configOf({ adversarialFrom: 1, watchEvery: 1 });
    const stage = distillationStage(materialOf(), config);
    const state = startState(stage, config);
    const first = await trainStep(stage, config, state);
    if (first.type !== "updated") throw new TypeError("expected an update");
    // The gradient of a term is its weight times c(t)·(ε̂ − ε)/n, whose mean square is twice its value
    const values = batchOf(stage, 0).point.condition.input.size;
    const wanted = (term: "sdsEdit" | "sdsVideo"): number =>
      stage.lossWeights[term]! * Math.sqrt((2 * first.losses[term]!) / values);
    expect(Object.keys(first.termGradients).toSorted()).toEqual(["sdsEdit", "sdsVideo"]);
    for (const term of ["sdsEdit", "sdsVideo"] as const)
      expect(first.termGradients[term]! / wanted(term)).toBeCloseTo(1, 4);
    const second = await trainStep(stage, config, state);
    const found = second.type === "updated" ? second.termGradients : {};
    expect(Object.keys(found).toSorted()).toEqual(["genEdit", "genVideo", "sdsEdit", "sdsVideo"]);
    expect(Object.values(found).every((norm) => norm > 0)).toBe(true);
    const rarely = distillationStage(materialOf(), configOf({ watchEvery: 3 }));
    expect([0, 1, 2, 3].map((step) => batchOf(rarely, step).isWatched)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test("draws the same inputs for a step whenever it is asked, and different ones for another", () => {
    using _ = tensorScope();
    const stage = distillationStage(materialOf(), configOf());
    const input = (step: number): Tensor => batchOf(stage, step).point.condition.input;
    expect(input(1).shape).toEqual([6, 4, 8, 8]);
    expect(largestDifference(input(1), input(1))).toBe(0);
    expect(largestDifference(input(1), input(2))).toBeGreaterThan(0);
  });

  test("leaves captions out as often as its settings say, and never the instruction", () => {
    using _ = tensorScope();
    const stage = distillationStage(materialOf(), configOf({ dropCaption: 1 }));
    const { condition } = batchOf(stage, 0).point;
    const nothing = condition.withoutText();
    expect(largestDifference(condition.caption, nothing.caption)).toBe(0);
    expect(largestDifference(condition.instruction, nothing.instruction)).toBeGreaterThan(0.01);
    const instead = { dropCaption: 1, withoutCaption: "instruction" };
    const told = batchOf(distillationStage(materialOf(), configOf(instead)), 0).point.condition;
    expect(largestDifference(told.caption, told.instruction)).toBe(0);
  });

  test("tells the score of held inputs, the same each time", async () => {
    const stage = distillationStage(materialOf(null), configOf({ terms: ["sdsEdit"] }));
    const numbers = await stage.validate!();
    expect(Object.keys(numbers)).toEqual(["sdsEdit", "sdsVideo"]);
    expect(Object.values(numbers).every((value) => value > 0)).toBe(true);
    expect(await stage.validate!()).toEqual(numbers);
  });

  test("tells the mean over held inputs", async () => {
    const scored = configOf({ terms: ["sdsEdit"] });
    const scoreOf = async (indices: readonly number[]): Promise<number> => {
      const { clips } = held;
      const some: DistillationInputs["clips"] = {
        count: indices.length,
        firstIndices: () => [...indices],
        text: (index) => clips.text(index),
        gather: (name, rows) => clips.gather(name, rows),
      };
      const material = { ...materialOf(null), held: { ...held, clips: some } };
      return (await distillationStage(material, scored).validate!())["sdsEdit"]!;
    };
    const [first, second, both] = [await scoreOf([0]), await scoreOf([1]), await scoreOf([0, 1])];
    expect(both).toBeCloseTo((first + second) / 2, 6);
    expect(Math.abs(first - second)).toBeGreaterThan(1e-4);
  });

  test("scores by teachers guided as its settings say of scores", async () => {
    const strong = { guideEdit: { image: 1, text: 5 }, guideVideo: { image: 1, text: 5 } };
    const scores = async (stage: object) =>
      await distillationStage(materialOf(null), configOf({ terms: ["sdsEdit"], ...stage }))
        .validate!();
    const plain = await scores({});
    expect(await scores({ samples: { steps: 1, ...strong } })).toEqual(plain);
    const guided = await scores({ scoreDistillation: strong });
    for (const term of ["sdsEdit", "sdsVideo"]) expect(guided[term]).not.toBe(plain[term]);
  });

  test("trains a student of its own weights for the ablation without pretrained adapters", async () => {
    const config = configOf({ student: "unpretrained", terms: ["sdsEdit", "sdsVideo"] });
    const stage = distillationStage(materialOf(null), config);
    const guard = new FrozenGuard(stage.frozen);
    const groups = new Set([...stage.trainable.keys()].map((name) => name.split(".", 1)[0]));
    expect(groups).toEqual(new Set(["backbone", "editAdapter", "videoAdapter"]));
    const result = await trainStep(stage, config, startState(stage, config));
    expect(result).toMatchObject({ type: "updated" });
    guard.verify();
  });
});
