import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { openClipLatents, openEditLatents, type EditText } from "../../src/data/caches/latents.ts";
import type { ShardedCache } from "../../src/data/caches/shards.ts";
import { TextCache } from "../../src/data/caches/text-cache.ts";
import type { LatentSource } from "../../src/data/caches/world-source.ts";
import { TASKS } from "../../src/data/world/tasks.ts";
import { createSchedule } from "../../src/diffusion/schedule.ts";
import { noGrad } from "../../src/engine/autodiff.ts";
import { Rng } from "../../src/engine/random.ts";
import { tensorScope } from "../../src/engine/scope.ts";
import { setThreads } from "../../src/engine/settings.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import type { EditAdapter } from "../../src/eve/adapters/edit-adapter.ts";
import type { TemporalLayers } from "../../src/models/temporal/temporal-layers.ts";
import { TextEncoder } from "../../src/models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../src/models/text-encoder/tokenizer.ts";
import type { UNet } from "../../src/models/unet/unet.ts";
import { Autoencoder } from "../../src/models/vae/autoencoder.ts";
import { TrainConfig, type TrainConfigInput } from "../../src/training/config.ts";
import { FrozenGuard } from "../../src/training/frozen.ts";
import type { Stage } from "../../src/training/stage.ts";
import { autoencoderStage } from "../../src/training/stages/autoencoder.ts";
import { backboneStage, type LatentMaterial } from "../../src/training/stages/backbone.ts";
import { drawClips, drawEditedPictures, drawPictures } from "../../src/training/stages/drawings.ts";
import { editAdapterStage } from "../../src/training/stages/edit-adapter.ts";
import { textEncoderStage } from "../../src/training/stages/text-encoder.ts";
import { videoAdapterStage } from "../../src/training/stages/video-adapter.ts";
import { startState, trainStep } from "../../src/training/step.ts";
import { largestDifference } from "../support/difference.ts";
import {
  SMALL,
  SMALL_AUTOENCODER,
  SMALL_SIZE,
  smallNetworks,
  smallTextEncoderConfig,
  smallTokenizer,
} from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = temporaryFolder();
const ITEMS = 2 * TASKS.length;
const FRAMES = 4;

function configOf(settings: Partial<TrainConfigInput> = {}): TrainConfig {
  return TrainConfig.parse({
    steps: 30,
    batch: 8,
    learningRate: 1e-2,
    warmup: 2,
    seed: 3,
    precision: "float32",
    ...settings,
  });
}

/** The loss terms of step 0's batch, by name, with noise of its own. */
function lossOf(stage: Stage): number {
  using _ = tensorScope();
  const batch = stage.nextBatch(0, 0);
  const terms = noGrad(() => stage.losses(batch, Rng.seed(11)));
  return Object.entries(terms).reduce(
    (sum, [name, loss]) => sum + (stage.lossWeights[name] ?? 1) * loss.item(),
    0,
  );
}

/** Trains, proves that frozen weights did not move, and returns the loss on one batch afterwards over that before. */
async function fall(stage: Stage, config: TrainConfig): Promise<number> {
  const guard = new FrozenGuard(stage.frozen);
  const before = lossOf(stage);
  const state = startState(stage, config);
  while (state.step < config.steps)
    expect((await trainStep(stage, config, state)).type).toBe("updated");
  guard.verify();
  return lossOf(stage) / before;
}

/** All tensors of a batch, in the order of their names. */
function tensorsOf(batch: unknown): Tensor[] {
  if (batch instanceof Tensor) return [batch];
  return Object.values(batch as object).filter((value) => value instanceof Tensor);
}

function isSameBatch(a: unknown, b: unknown): boolean {
  const others = tensorsOf(b);
  return tensorsOf(a).every((tensor, i) => {
    const other = others[i]!;
    return tensor.shape.join() === other.shape.join() && largestDifference(tensor, other) === 0;
  });
}

/** Batches are a function of (seed, step, part), whatever was drawn before; parts are pieces of the whole. */
function expectPureBatches(open: (settings: Partial<TrainConfigInput>) => Stage): void {
  using _ = tensorScope();
  const stage = open({});
  const first = stage.nextBatch(3, 0);
  const next = stage.nextBatch(4, 0);
  expect(isSameBatch(stage.nextBatch(3, 0), first)).toBe(true);
  expect(isSameBatch(open({}).nextBatch(3, 0), first)).toBe(true);
  expect(isSameBatch(next, first)).toBe(false);
  expect(isSameBatch(open({ seed: 4 }).nextBatch(3, 0), first)).toBe(false);
  const halves = open({ accumulate: 2 });
  const [left, right] = [0, 1].map((part) => tensorsOf(halves.nextBatch(3, part)));
  const joined = left!.map((tensor, i) => Tensor.cat([tensor, right![i]!], 0));
  expect(isSameBatch(joined, tensorsOf(first))).toBe(true);
}

/** The share of rows of `x` that equal `row`. */
function shareEqual(x: Tensor, row: Tensor): number {
  const flat = x.sub(row).reshape([x.shape[0]!, -1]).abs();
  return flat.sum([1]).eq(0).to("float32").mean().item();
}

interface Workshop {
  readonly autoencoder: Autoencoder;
  readonly tokenizer: Tokenizer;
  readonly texts: TextCache;
  readonly unet: UNet;
  readonly editAdapter: EditAdapter;
  readonly layers: TemporalLayers;
  readonly edits: LatentMaterial<EditText>;
  readonly clips: LatentMaterial<string>;
}

/** Caches of very small latents and networks for them; the latents' mean is about zero, their deviation about one. */
async function openWorkshop(): Promise<Workshop> {
  const statistics = { latentMean: [0.014, -0.229, -0.125, 0.159], scalingFactor: 3.5 };
  const autoencoder = new Autoencoder(Rng.seed(1), { ...SMALL_AUTOENCODER, ...statistics });
  const tokenizer = smallTokenizer(join(root, "tokenizer"));
  const encoder = new TextEncoder(Rng.seed(2), smallTextEncoderConfig(tokenizer.vocabularySize));
  const texts = new TextCache(encoder, tokenizer);
  const schedule = createSchedule(SMALL.schedule);
  const { unet, editAdapter, layers } = smallNetworks();
  const from = (split: LatentSource["split"], count: number): LatentSource => ({
    folder: join(root, "latents"),
    autoencoder,
    autoencoderHash: "small",
    split,
    size: SMALL_SIZE,
    count,
  });
  const kit = { autoencoder, unet, texts, schedule };
  const frozen = encoder.parameters();
  const shared = { texts, schedule, frozen };
  const heldEdits = await openEditLatents(from("validation", ITEMS));
  const heldClips = await openClipLatents(from("validation", 3), FRAMES);
  return {
    autoencoder,
    tokenizer,
    texts,
    unet,
    editAdapter,
    layers,
    edits: {
      ...shared,
      train: await openEditLatents(from("train", ITEMS)),
      held: heldEdits,
      draw: () => [
        ...drawPictures(kit, heldEdits),
        ...drawEditedPictures(kit, editAdapter, heldEdits),
      ],
    },
    clips: {
      ...shared,
      train: await openClipLatents(from("train", 8), FRAMES),
      held: heldClips,
      draw: () => drawClips(kit, layers, heldClips),
    },
  };
}

const context = { signal: new AbortController().signal, progress: () => {} };
let shop: Workshop;

beforeAll(async () => {
  setThreads(1);
  shop = await openWorkshop();
}, 60_000);

/** Fails when `stage` reads validation items to train, or training items to validate. */
function expectSplitsApart<Text>(
  stage: Stage,
  { train, held }: { train: ShardedCache<Text>; held: ShardedCache<Text> },
): void {
  using _ = tensorScope();
  const reads = { train: vi.spyOn(train, "gather"), held: vi.spyOn(held, "gather") };
  stage.nextBatch(0, 0);
  expect(reads.train).toHaveBeenCalled();
  expect(reads.held).not.toHaveBeenCalled();
  reads.train.mockClear();
  const figures = stage.validate!() as Record<string, number>;
  expect(Object.values(figures).every(Number.isFinite)).toBe(true);
  expect(reads.held).toHaveBeenCalled();
  expect(reads.train).not.toHaveBeenCalled();
  vi.restoreAllMocks();
}

describe("the autoencoder", () => {
  const stage = { size: SMALL_SIZE, crop: 16, pictures: 8, wholeFrom: 0.5, cache: root };
  const settings = { batch: 8, learningRate: 5e-3, stage } as const;

  test("learns pictures of the world: the loss falls by a third in 30 steps", async () => {
    const model = new Autoencoder(Rng.seed(5), SMALL_AUTOENCODER);
    const config = configOf(settings);
    const own = await autoencoderStage(model, config, context);
    using _ = tensorScope();
    expect([...(own.nextBatch(0, 0) as Tensor).shape]).toEqual([8, 3, 16, 16]);
    expect([...(own.nextBatch(20, 0) as Tensor).shape]).toEqual([2, 3, 32, 32]);
    expect(await fall(own as Stage, config)).toBeLessThan(0.67);
    const { psnr } = (await own.validate!()) as { psnr: number };
    expect(psnr).toBeGreaterThan(8);
  });

  test("sees pictures that depend on seed and step alone", async () => {
    const model = new Autoencoder(Rng.seed(5), SMALL_AUTOENCODER);
    const options = [{}, { seed: 4 }, { accumulate: 2 }];
    const stages = await Promise.all(
      options.map((own) => autoencoderStage(model, configOf({ ...settings, ...own }), context)),
    );
    const at = ({ seed, accumulate }: Partial<TrainConfigInput>): Stage =>
      stages[seed === 4 ? 1 : accumulate === 2 ? 2 : 0]!;
    expectPureBatches(at);
  });
});

describe("the text encoder", () => {
  const open = (settings: Partial<TrainConfigInput>): Stage =>
    textEncoderStage(
      new TextEncoder(Rng.seed(6), smallTextEncoderConfig(shop.tokenizer.vocabularySize)),
      shop.tokenizer,
      configOf(settings),
    );

  test("learns to continue sentences: the loss falls by a tenth in 30 steps", async () => {
    expect(await fall(open({}), configOf())).toBeLessThan(0.9);
  });

  test("sees sentences that depend on seed and step alone, and says how it does on others", () => {
    using _ = tensorScope();
    const stage = open({});
    expect(isSameBatch(open({}).nextBatch(3, 0), stage.nextBatch(3, 0))).toBe(true);
    expect(isSameBatch(stage.nextBatch(4, 0), stage.nextBatch(3, 0))).toBe(false);
    const figures = stage.validate!() as Record<string, number>;
    expect(Object.keys(figures)).toEqual(["next", "paraphrase"]);
    expect(Object.values(figures).every(Number.isFinite)).toBe(true);
  });
});

describe("the backbone", () => {
  const open = (settings: Partial<TrainConfigInput>): Stage =>
    backboneStage(shop.unet, shop.edits, configOf(settings));

  test("learns to draw: the loss falls by a tenth in 30 steps, and nothing frozen moves", async () => {
    expect(await fall(open({}), configOf())).toBeLessThan(0.9);
  });

  test("sees batches that depend on seed and step alone", () => expectPureBatches(open));

  test("leaves captions out at the rate it is told", () => {
    using _ = tensorScope();
    const stage = open({ batch: 1000, stage: { dropCaption: 0.3 } });
    const { text } = stage.nextBatch(0, 0) as { text: Tensor };
    // four standard deviations of a mean of 1000 draws
    const tolerance = 4 * Math.sqrt((0.3 * 0.7) / 1000);
    expect(Math.abs(shareEqual(text, shop.texts.features([""])) - 0.3)).toBeLessThan(tolerance);
  });

  test("trains on the train split and validates on the other", () =>
    expectSplitsApart(open({}), shop.edits));
});

describe("the edit adapter", () => {
  const open = (settings: Partial<TrainConfigInput>): Stage =>
    editAdapterStage(shop.unet, shop.editAdapter, shop.edits, configOf(settings));

  test("learns to edit: the loss falls by a twentieth in 30 steps, and the backbone stays bit for bit", async () => {
    expect(await fall(open({ stage: { noiseBias: 4, dropPicture: 0 } }), configOf())).toBeLessThan(
      0.95,
    );
  });

  test("sees batches that depend on seed and step alone", () => expectPureBatches(open));

  test("learns the same items as in use however a step is split, and counts them alike", () => {
    using _ = tensorScope();
    const stage = { inUse: 0.25 };
    const parts = open({ stage, accumulate: 4 });
    const used = [0, 1, 2, 3].map((part) => parts.nextBatch(0, part) as { used: number });
    expect(used.map((batch) => batch.used)).toEqual([2, 0, 0, 0]);
    const whole = open({ stage });
    const terms = (own: Stage, part: number) =>
      noGrad(() => own.losses(own.nextBatch(0, part), Rng.seed(11)));
    expect(Object.keys(terms(parts, 0))).toEqual(["inUse"]);
    expect(Object.keys(terms(parts, 3))).toEqual(["velocity"]);
    // the mean over four parts, of which the others have none
    const own = terms(parts, 0)["inUse"]!.item() / 4;
    expect(own).toBeCloseTo(terms(whole, 0)["inUse"]!.item(), 5);
  });

  test("leaves caption, instruction and picture out at their rates, each by itself", () => {
    using _ = tensorScope();
    const rates = { dropCaption: 0.5, dropInstruction: 0.2, dropPicture: 0.1 };
    const stage = open({ batch: 1000, stage: rates });
    const batch = stage.nextBatch(0, 0) as Record<"caption" | "instruction" | "input", Tensor>;
    const nothing = shop.texts.features([""]);
    const found = {
      dropCaption: shareEqual(batch.caption, nothing),
      dropInstruction: shareEqual(batch.instruction, nothing),
      dropPicture: shareEqual(batch.input, Tensor.zeros([1, 4, 8, 8])),
    };
    for (const [name, rate] of Object.entries(rates)) {
      // four standard deviations of a mean of 1000 draws
      const tolerance = 4 * Math.sqrt((rate * (1 - rate)) / 1000);
      expect(Math.abs(found[name as keyof typeof found] - rate), name).toBeLessThan(tolerance);
    }
  });

  test("shows every task", () => {
    using _ = tensorScope();
    const { tasks } = open({ batch: 100 }).nextBatch(0, 0) as { tasks: Tensor };
    expect(new Set(tasks.toFloat32Array()).size).toBe(TASKS.length);
  });

  test("trains on the train split and validates on the other", () =>
    expectSplitsApart(open({}), shop.edits));
});

describe("the video adapter", () => {
  const open = (settings: Partial<TrainConfigInput>): Stage =>
    videoAdapterStage(shop.unet, shop.layers, shop.clips, configOf({ batch: 4, ...settings }));

  test("learns to move: the loss falls by a twentieth in 30 steps, and the backbone stays bit for bit", async () => {
    expect(
      await fall(open({ stage: { noiseBias: 4, dropPicture: 0 } }), configOf({ batch: 4 })),
    ).toBeLessThan(0.95);
  });

  test("sees batches that depend on seed and step alone", () => expectPureBatches(open));

  test("leaves caption and first frame out at their rates", () => {
    using _ = tensorScope();
    const stage = open({ batch: 500, stage: { dropCaption: 0.4, dropPicture: 0.2 } });
    const { text, firstFrame } = stage.nextBatch(0, 0) as Record<"text" | "firstFrame", Tensor>;
    // four standard deviations of a mean of 500 draws
    const captions = shareEqual(text, shop.texts.features([""]));
    expect(Math.abs(captions - 0.4)).toBeLessThan(4 * Math.sqrt((0.4 * 0.6) / 500));
    const pictures = shareEqual(firstFrame, Tensor.zeros([1, 5, 8, 8]));
    expect(Math.abs(pictures - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 500));
  });

  test("trains on the train split and validates on the other", () =>
    expectSplitsApart(open({}), shop.clips));
});

test("samples are drawn of every stage that draws", async () => {
  using _ = tensorScope();
  const drawn = [...shop.edits.draw(), ...shop.clips.draw()].map((sample) =>
    sample.type === "sheet"
      ? [sample.name, sample.rows.length, sample.rows[0]!.length]
      : [sample.name, sample.frames.shape[0], sample.fps],
  );
  expect(drawn).toEqual([
    ["pictures", 2, 8],
    ["edits", 4, ITEMS],
    ["clips", 6, FRAMES],
    ["clip-1", FRAMES, 8],
    ["clip-2", FRAMES, 8],
    ["clip-3", FRAMES, 8],
  ]);
});

test("no source of training, caches or presets names the test split or the evaluation", () => {
  const source = join(import.meta.dirname, "../../src");
  const files = ["training", "data/caches", "presets"].flatMap((folder) =>
    readdirSync(join(source, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => join(source, folder, file)),
  );
  const reaching = files.filter((file) => {
    const text = readFileSync(file, "utf8").replaceAll('Exclude<Split, "test">', "");
    return /"test"|evaluation\/|edited-scene/.test(text);
  });
  expect(files.length).toBeGreaterThan(25);
  expect(reaching).toEqual([]);
});
