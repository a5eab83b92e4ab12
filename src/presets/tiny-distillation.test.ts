import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { UserError } from "../engine/errors.ts";
import { Rng, normal } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import type { Tensor } from "../engine/tensor.ts";
import { EditModel } from "../eve/model/edit-model.ts";
import { AlignmentPart } from "../eve/stack/alignment-config.ts";
import { strengthKind } from "../eve/stack/alignment-weights.ts";
import type { TrainConfig } from "../training/config.ts";
import type { TrainEvent } from "../training/events.ts";
import { FrozenGuard } from "../training/frozen.ts";
import { openRunDirectory } from "../training/run.ts";
import { resolveConfig, stageEntry, type StageContext } from "../training/stage.ts";
import { startState, trainStep } from "../training/step.ts";
import { train } from "../training/train.ts";
import { exportTinyPart } from "./tiny-export.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const model = saveSmallModel(join(root, "model"), { hasVision: true });
const context: StageContext = { signal: new AbortController().signal, progress: () => {} };
const entry = stageEntry(tiny, "distillation");

function configOf(
  settings: Record<string, unknown> = {},
  stage: Record<string, unknown> = {},
): TrainConfig {
  const base = resolveConfig(entry);
  return resolveConfig(entry, {
    ...base,
    steps: 4,
    batch: 2,
    precision: "float32",
    threads: 1,
    ...settings,
    stage: {
      ...base.stage,
      model: model.path,
      cache: join(root, "cache"),
      items: 7,
      held: 2,
      samples: { ...(base.stage["samples"] as object), steps: 1 },
      alignment: { rank: 2, alpha: null, layers: "transformer" },
      heads: { depths: [0, 1], channels: 8, heads: 2, size: null },
      criticWarmup: 1,
      ...stage,
    },
  });
}

/** Trains in `folder`, from where it stopped; stops after step `until`, or at the end. */
async function trained(
  folder: string,
  config: TrainConfig,
  until = Infinity,
): Promise<TrainEvent[]> {
  const stop = new AbortController();
  using directory = openRunDirectory(folder, "distillation", config);
  const stage = await entry.open(config, context);
  const events: TrainEvent[] = [];
  for await (const event of train({ stage, config, directory, signal: stop.signal })) {
    events.push(event);
    if (event.type === "step-end" && event.step >= until) stop.abort();
  }
  return events;
}

const termsOf = (events: readonly TrainEvent[]): string[][] =>
  events.flatMap((event) => (event.type === "step-end" ? [Object.keys(event.losses)] : []));

describe("a distillation of the preset", () => {
  test("scores for two thirds of its steps, warms the critics up, and lets them judge then", async () => {
    const events = await trained(join(root, "straight"), configOf());
    const score = ["sdsEdit", "sdsVideo"];
    const [first, second, ...rest] = termsOf(events);
    expect(first).toEqual([...score, "videoStrength"]);
    expect(second).toContain("criticVideo");
    expect(second).not.toContain("genVideo");
    for (const terms of rest)
      expect(terms).toEqual(expect.arrayContaining([...score, "genEdit", "genVideo"]));
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "finished" });
    const receipt = JSON.parse(readFileSync(join(root, "straight", "receipt.json"), "utf8"));
    expect(Object.keys(receipt.finalLosses)).toEqual(["meanOver", ...rest.at(-1)!]);
    for (const mean of Object.values(receipt.finalLosses)) expect(mean).toBeTypeOf("number"); // JSON has null for NaN
  });

  test("stopped in any phase and continued is the same run, bit for bit", async () => {
    const folder = join(root, "resumed");
    expect((await trained(folder, configOf(), 2)).at(-1)).toMatchObject({ reason: "stopped" });
    expect((await trained(folder, configOf(), 3)).at(-1)).toMatchObject({ reason: "stopped" });
    await trained(folder, configOf());
    const weights = (run: string): Buffer =>
      readFileSync(join(root, run, "weights", "distillation.safetensors"));
    expect(weights("resumed").equals(weights("straight"))).toBe(true);
  });

  test.each([
    [{ kBin: { from: 5000 } }, "stage.kBin: expected 3 falling times"],
    [{ samples: { steps: 2, times: [100, 200] } }, "stage.samples: expected 2 falling times"],
    [{ heads: { depths: [0, 1], size: 13 } }, "stage.heads.size: expected a multiple of"],
    [{ heads: { depths: [90] } }, "expected critic depths of at most"],
  ])("with %j is refused before anything is drawn", async (stage, sentence) => {
    const cache = join(root, "nothing");
    const open = async () => await entry.open(configOf({}, { cache, ...stage }), context);
    await expect(open()).rejects.toThrow(sentence);
    expect(existsSync(cache)).toBe(false);
  });

  test("moves its LoRA and its strengths alone, and every one of them", () => {
    const weights = loadSafetensors(join(root, "straight", "weights", "distillation.safetensors"));
    const ups = [...weights].filter(([name]) => name.endsWith(".up"));
    const strengths = [...weights].filter(([name]) => strengthKind(name));
    expect(2 * ups.length + strengths.length).toBe(weights.size);
    for (const [name, up] of ups) expect(up.abs().max().item(), name).toBeGreaterThan(0);
    expect(strengths.length).toBeGreaterThan(1);
    for (const [name, strength] of strengths) expect(strength.item(), name).not.toBe(1);
    const receipt = JSON.parse(readFileSync(join(root, "straight", "receipt.json"), "utf8"));
    expect(receipt).toMatchObject({ stage: "distillation", steps: 4 });
    expect(receipt.dataset).toMatch(/^generated world, 7 unedited clips of the train split/);
  });

  test("is measured on clips that it is not trained on, those of the validation split", () => {
    const made = readdirSync(join(root, "cache")).filter((name) => name.startsWith("unedited"));
    const splits = made.map((name) => /^unedited4-(\w+)-32-/.exec(name)?.[1] ?? name);
    expect(new Set(splits)).toEqual(new Set(["train", "validation"]));
  });

  test("takes no first frames that other teachers drew", async () => {
    const cache = join(root, "of-two");
    const other = saveSmallModel(join(root, "untrained"), { isTrained: false });
    const own = { cache, items: 1, held: 1, terms: ["sdsEdit"] };
    for (const { path } of [model, other, model])
      await entry.open(configOf({}, { ...own, model: path }), context);
    const drawn = readdirSync(cache).filter((name) => name.startsWith("first-frames"));
    expect(drawn).toHaveLength(2); // of the train and the validation split
    for (const name of drawn) expect(readdirSync(join(cache, name))).toHaveLength(2);
  });

  test("begins as the stack of the model folder, bit for bit", async () => {
    const { student } = (await entry.open(configOf(), context)) as unknown as {
      student: { denoiser: ReturnType<EditModel["stacked"]> };
    };
    const whole = EditModel.load(model.path);
    const xt = normal(Rng.seed(3), [4, 4, 8, 8]);
    const condition = whole.stackedCondition(
      { caption: "a red fox", instruction: "make it blue", task: "object" },
      normal(Rng.seed(1), [4, 4, 8, 8]),
      normal(Rng.seed(2), [1, 4, 8, 8]),
    );
    const [a, b] = [student.denoiser, whole.stacked()].map(
      (denoiser) => denoiser.predict(xt, 600, condition).x0,
    );
    expect(largestDifference(a!, b!)).toBe(0);
  });

  test("needs what critics see with only where critics judge", async () => {
    const blind = saveSmallModel(join(root, "blind"));
    const open = async (terms: readonly string[]): Promise<unknown> =>
      await entry.open(configOf({}, { model: blind.path, terms }), context);
    await expect(open(["sdsEdit", "genEdit"])).rejects.toThrow(
      new UserError(
        `expected a model with vision in ${blind.path}, which has no vision: train it with "./eve train vision"`,
      ),
    );
    await expect(open(["sdsEdit", "sdsVideo"])).resolves.toMatchObject({ adversaries: null });
  });
});

describe.each([
  ["style", "line-art"],
  ["subject", "owl"],
] as const)("another combination (§4.4), of a %s,", (type, name) => {
  const folder = saveSmallModel(join(root, type), { hasVision: true, looks: [type] });
  const config = (stage: Record<string, unknown> = {}): TrainConfig =>
    configOf({ steps: 3 }, { model: folder.path, combine: `${type}:${name}`, items: 6, ...stage });

  test("is aligned by the same terms, from pictures that its own teacher drew", async () => {
    const events = await trained(join(root, `${type}-run`), config());
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "finished" });
    expect(termsOf(events).at(-1)).toEqual(
      expect.arrayContaining(["sdsEdit", "sdsVideo", "genEdit", "genVideo"]),
    );
  });

  test("says in its receipt what it was aligned on", () => {
    const text = readFileSync(join(root, `${type}-run`, "receipt.json"), "utf8");
    const { dataset } = JSON.parse(text) as { dataset: string };
    expect(dataset).toContain(
      `6 pictures that the teacher of ${name} draws by captions of the train`,
    );
  });

  test("is aligned on the world's pictures where the settings ask for them", async () => {
    const inputs = async (combineInputs: string, samples = { steps: 1 }): Promise<Tensor> => {
      const own = config({ combineInputs, samples, terms: ["sdsEdit"] });
      const stage = (await entry.open(own, context)) as {
        nextBatch(step: number, part: number): { point: { condition: { input: Tensor } } };
      };
      return stage.nextBatch(0, 0).point.condition.input;
    };
    const [drawn, pictures, again] = [
      await inputs("drawn"),
      await inputs("pictures"),
      await inputs("pictures"),
    ];
    expect(largestDifference(drawn, pictures)).toBeGreaterThan(0.1);
    expect(largestDifference(pictures, again)).toBe(0);
    const [inMoreSteps, inAsMany] = [
      await inputs("drawn", { steps: 3 }),
      await inputs("drawn", { steps: 1 }),
    ];
    expect(largestDifference(drawn, inMoreSteps)).toBeGreaterThan(0.01);
    expect(largestDifference(drawn, inAsMany)).toBe(0);
  });

  test("becomes a part of its own, and an editor beside the one that is not aligned", async () => {
    expect(EditModel.load(folder.path).looks[type]).toMatchObject({ look: name, aligned: null });
    const run = join(root, `${type}-run`);
    expect(await exportTinyPart("distillation", run, folder, { cache: root })).toBe(
      `${type}-alignment`,
    );
    const learned = folder.weights(`${type}-alignment`);
    expect(folder.config(`${type}-alignment`, AlignmentPart)).toMatchObject({
      editStrength: "learned",
    });
    const whole = EditModel.load(folder.path);
    expect(whole.hasAlignment).toBe(false);
    expect([...learned.keys()].filter(strengthKind)).toEqual(
      whole.networks.editAdapter.places().map((place) => `editStrength.${place}.value`),
    );
    const condition = whole.stackedCondition(
      { caption: "a red fox", instruction: "make it blue", task: "texture" },
      normal(Rng.seed(1), [1, 4, 8, 8]),
      null,
    );
    const xt = normal(Rng.seed(3), [1, 4, 8, 8]);
    const { stacked: unaligned, aligned } = whole.looks[type]!;
    const [a, b, plain] = [unaligned, aligned!, whole.editTeacher()].map(
      (denoiser) => denoiser.predict(xt, 600, condition).x0,
    );
    expect(largestDifference(a!, b!)).toBeGreaterThan(0);
    expect(largestDifference(a!, plain!)).toBeGreaterThan(1e-3);
  });

  test("begins as both adapters attached, bit for bit", async () => {
    const stage = (await entry.open(config(), context)) as unknown as {
      student: { denoiser: ReturnType<EditModel["stacked"]> };
    };
    const whole = EditModel.load(folder.path);
    const xt = normal(Rng.seed(3), [2, 4, 8, 8]);
    const condition = whole.stackedCondition(
      { caption: "a red fox", instruction: "make it blue", task: "texture" },
      normal(Rng.seed(1), [2, 4, 8, 8]),
      null,
    );
    const [a, b] = [stage.student.denoiser, whole.looks[type]!.stacked].map(
      (denoiser) => denoiser.predict(xt, 600, condition).x0,
    );
    expect(largestDifference(a!, b!)).toBe(0);
  });

  test("that there is none of, or that the model does not have, is refused", async () => {
    const open = async (combine: string): Promise<unknown> =>
      await entry.open(config({ combine }), context);
    await expect(open(`${type}:stickers`)).rejects.toThrow(
      new UserError(
        `expected a look such as style:line-art or subject:toy-robot, got ${type}:stickers`,
      ),
    );
    const other = type === "style" ? "subject:owl" : "style:line-art";
    await expect(open(other)).rejects.toThrow(/has no (subject|style)-adapter: train it with/);
  });
});

test.each(["style", "subject"] as const)(
  "a %s adapter learns its look, with the backbone as it was",
  async (type) => {
    const styling = stageEntry(tiny, `${type}-adapter`);
    const base = resolveConfig(styling);
    const config = resolveConfig(styling, {
      ...base,
      steps: 60,
      batch: 8,
      warmup: 5,
      precision: "float32",
      threads: 1,
      learningRate: 1e-2,
      stage: {
        ...base.stage,
        model: model.path,
        cache: join(root, "cache"),
        items: 16,
        held: 8,
        lora: { rank: 4, alpha: null, layers: "linear" },
      },
    });
    const stage = await styling.open(config, context);
    const before = (await stage.validate!())["velocity"]!;
    const guard = new FrozenGuard(stage.frozen);
    const state = startState(stage, config);
    while (state.step < config.steps) await trainStep(stage, config, state);
    guard.verify();
    expect((await stage.validate!())["velocity"]!).toBeLessThan(0.98 * before);
  },
);
