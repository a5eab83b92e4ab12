import { expect, test, vi } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { editItems, itemOf, smallTexts } from "../../../test/support/latent-items.ts";
import { SMALL, smallNetworks } from "../../../test/support/small-model.ts";
import { batchOf } from "../../../test/support/stage-batch.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { backboneStage, type CaptionedLatents } from "./backbone.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

const schedule = createSchedule(SMALL.schedule);
const texts = smallTexts();
const { unet } = smallNetworks();
const [train, held] = [editItems(7), editItems(7, 4)];
const BATCH = 16;

function open(stage: object): Stage<CaptionedLatents> {
  const config = TrainConfig.parse({ steps: 4, batch: BATCH, learningRate: 1e-3, stage });
  const material = { train, held, texts, schedule, frozen: new Map(), draw: () => [] };
  return backboneStage(unet, material, config);
}

test("pictures from before and after edits come with what is said of them", () => {
  using _ = tensorScope();
  const { x0, text } = batchOf(open({ dropCaption: 0 }));
  const sides = Array.from({ length: BATCH }, (__, row) => {
    const picture = x0.narrow(0, row, 1);
    const before = itemOf(train, "before", picture);
    const caption =
      before < 0
        ? train.text(itemOf(train, "after", picture)).outputCaption
        : train.text(before).inputCaption;
    expect(largestDifference(text.narrow(0, row, 1), texts.features([caption])), caption).toBe(0);
    return before < 0 ? "after" : "before";
  });
  expect(new Set(sides).size).toBe(2);
});

test("the loss is the velocity's, at times by the bias", () => {
  using _ = tensorScope();
  const stage = open({ noiseBias: 3 });
  const batch = batchOf(stage);
  const rng = Rng.seed(11);
  const noised = noiseBatch(batch.x0, schedule, rng, { bias: 3 });
  const wanted = velocityLoss(unet.forward(noised.xt, noised.labels, batch.text), noised);
  expect(stage.losses(batch, rng)["velocity"]!.item()).toBeCloseTo(wanted.item(), 6);
});

test("held pictures keep their captions", async () => {
  const features = vi.spyOn(texts, "features");
  await open({ dropCaption: 1 }).validate!();
  const sentences = features.mock.calls.flatMap(([asked]) => asked);
  features.mockRestore();
  expect(sentences).toHaveLength(held.count);
  expect(sentences.every((sentence) => /^(before|after) \d$/.test(sentence))).toBe(true);
});
