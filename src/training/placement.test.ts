import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defaultDevice, setDefaultDevice } from "../engine/device.ts";
import { Rng, normal } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { ShardedCache } from "../data/caches/shards.ts";
import type { EditText } from "../data/caches/latents.ts";
import { TextCache } from "../data/caches/text-cache.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import {
  SMALL,
  smallNetworks,
  smallTextEncoderConfig,
  smallTokenizer,
} from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { useVirtualDevice, VIRTUAL_DEVICE } from "../../test/support/virtual-device.ts";
import { TrainConfig } from "./config.ts";
import type { Stage } from "./stage.ts";
import { backboneStage } from "./stages/backbone.ts";
import { editAdapterStage } from "./stages/edit-adapter.ts";
import { videoAdapterStage } from "./stages/video-adapter.ts";
import { startState, trainStep } from "./step.ts";

const tokenizer = smallTokenizer(temporaryFolder());
const config = TrainConfig.parse({
  steps: 1,
  batch: 2,
  learningRate: 1e-3,
  precision: "float32",
});
const weighted = { ...config, stage: { changeWeight: 1 } };
const words: EditText = {
  task: "style",
  instruction: "make it a sketch",
  inputCaption: "a fox",
  outputCaption: "a fox, a sketch",
};

beforeEach(useVirtualDevice);

afterEach(() => {
  setDefaultDevice("cpu");
  vi.restoreAllMocks();
});

function stages(): readonly (() => Stage)[] {
  const schedule = createSchedule(SMALL.schedule);
  const encoder = new TextEncoder(Rng.seed(1), smallTextEncoderConfig(tokenizer.vocabularySize));
  const texts = new TextCache(encoder, tokenizer);
  const latents = (shape: readonly number[]): Tensor => normal(Rng.seed(2), shape);
  const pairs = new Map(["before", "after"].map((side) => [side, latents([4, 4, 8, 8])]));
  const edits = new ShardedCache([
    { tensors: pairs, texts: Array.from({ length: 4 }, () => words) },
  ]);
  const clip = new Map([["clip", latents([4, 4, 4, 8, 8])]]);
  const clips = new ShardedCache([
    { tensors: clip, texts: Array.from({ length: 4 }, () => "a fox") },
  ]);
  const { unet, editAdapter, layers } = smallNetworks();
  const common = { texts, schedule, frozen: encoder.parameters(), draw: () => [] };
  const material = { ...common, train: edits, held: edits };
  return [
    () => backboneStage(unet, material, config),
    () => editAdapterStage(unet, editAdapter, material, weighted),
    () => videoAdapterStage(unet, layers, { ...common, train: clips, held: clips }, config),
  ];
}

describe("a training step where tensors are made elsewhere than on the CPU", () => {
  test.each([
    ["the backbone", 0],
    ["the edit adapter", 1],
    ["the video adapter", 2],
  ])("of %s touches the CPU nowhere", async (_, number) => {
    expect(defaultDevice()).toBe(VIRTUAL_DEVICE);
    const stage = stages()[number]!();
    const result = await trainStep(stage, config, startState(stage, config));
    expect(z.object({ type: z.string() }).parse(result).type).toBe("updated");
    for (const weight of stage.trainable.values()) expect(weight.device).toBe(VIRTUAL_DEVICE);
  });
});
