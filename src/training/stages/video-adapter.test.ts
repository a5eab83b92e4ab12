import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { clipItems, itemOf, smallTexts } from "../../../test/support/latent-items.ts";
import { disturbed, SMALL, smallNetworks } from "../../../test/support/small-model.ts";
import { batchOf } from "../../../test/support/stage-batch.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { rearrange } from "../../engine/axes.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { firstFrameCondition } from "../../models/temporal/temporal-layers.ts";
import { TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";
import { videoAdapterStage, type ClipBatch } from "./video-adapter.ts";

const schedule = createSchedule(SMALL.schedule);
const texts = smallTexts();
const { unet, layers: fresh } = smallNetworks();
const layers = disturbed(fresh);
const [train, held] = [clipItems(5), clipItems(3, 6)];
const BATCH = 4;

function open(settings: object): Stage<ClipBatch> {
  const stage = { dropCaption: 0, dropPicture: 0, ...settings };
  const config = TrainConfig.parse({ steps: 4, batch: BATCH, learningRate: 1e-3, stage });
  const material = { train, held, texts, schedule, frozen: new Map(), draw: () => [] };
  return videoAdapterStage(unet, layers, material, config);
}

test("a clip comes with its caption and its first frame", () => {
  using _ = tensorScope();
  const { clips, text, firstFrame } = batchOf(open({}));
  const items = Array.from({ length: BATCH }, (__, row) =>
    itemOf(train, "clip", clips.narrow(0, row, 1)),
  );
  expect(items).not.toContain(-1);
  expect(new Set(items).size).toBeGreaterThan(1);
  const captions = texts.features(items.map((item) => train.text(item)));
  expect(largestDifference(text, captions)).toBe(0);
  const first = train.gather("clip", items).select(1, 0);
  expect(largestDifference(firstFrame, firstFrameCondition(first))).toBe(0);
});

test("the loss is the velocity's of clips whose frames share a time, and some of them a noise", () => {
  using _ = tensorScope();
  const stage = open({ noiseBias: 2, sharedNoise: 0.5 });
  const batch = batchOf(stage);
  const rng = Rng.seed(11);
  const frames = rearrange(batch.clips, "b f c h w -> (b f) c h w");
  const noised = noiseBatch(frames, schedule, rng, { group: 4, bias: 2, sharedNoise: 0.5 });
  const temporal = layers.on(unet, { frames: 4, condition: batch.firstFrame });
  const output = unet.forward(noised.xt, noised.labels, batch.text, { temporal });
  const wanted = velocityLoss(output, noised).item();
  expect(stage.losses(batch, rng)["velocity"]!.item()).toBeCloseTo(wanted, 6);
});

test("of held clips nothing is left out, whatever the settings say", async () => {
  const plain = await open({}).validate!();
  expect(await open({ dropCaption: 1, dropPicture: 1 }).validate!()).toEqual(plain);
});
