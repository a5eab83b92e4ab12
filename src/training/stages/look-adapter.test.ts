import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { itemOf, smallTexts } from "../../../test/support/latent-items.ts";
import { disturbed, SMALL, smallNetworks } from "../../../test/support/small-model.ts";
import { ShardedCache } from "../../data/caches/shards.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { normal, Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { AlignmentConfig } from "../../eve/stack/alignment-config.ts";
import { createAlignment } from "../../eve/stack/student.ts";
import { TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { lookAdapterStage, type LookBatch } from "./look-adapter.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

const BATCH = 200;
const schedule = createSchedule(SMALL.schedule);
const texts = smallTexts();
const { unet } = smallNetworks();
const lora = disturbed(createAlignment(Rng.seed(4), unet, AlignmentConfig.parse({ rank: 2 })));
const pictures = (count: number, seed: number): ShardedCache<string> =>
  new ShardedCache([
    {
      tensors: new Map([["picture", normal(Rng.seed(seed), [count, 4, 8, 8])]]),
      texts: Array.from({ length: count }, (_, item) => `picture ${item}`),
    },
  ]);
const [train, held] = [pictures(6, 1), pictures(3, 2)];

async function opened(dropCaption: number, batch = BATCH) {
  const config = TrainConfig.parse({
    steps: 2,
    batch,
    learningRate: 1e-3,
    stage: { dropCaption },
  });
  const look = { type: "style", name: "line-art" } as const;
  const material = { look, train, held, texts, schedule, frozen: new Map(), draw: () => [] };
  const stage: Stage<LookBatch> = lookAdapterStage(unet, lora, material, config);
  return { stage, batch: await stage.nextBatch(0, 0) };
}

test("pictures come with their captions, which are left out at the rate that is told", async () => {
  const { batch } = await opened(0.3);
  using _ = tensorScope();
  const nothing = texts.features([""]);
  const silent = Array.from({ length: BATCH }, (__, row) => {
    const caption = train.text(itemOf(train, "picture", batch.x0.narrow(0, row, 1)));
    const told = batch.text.narrow(0, row, 1);
    const isSilent = largestDifference(told, nothing) === 0;
    if (!isSilent) expect(largestDifference(told, texts.features([caption]))).toBe(0);
    return isSilent;
  });
  const share = silent.filter(Boolean).length / BATCH;
  // four standard deviations of a mean of as many draws
  expect(Math.abs(share - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / BATCH));
});

test("the loss is the velocity's with the LoRA, at all times alike", async () => {
  const { stage, batch } = await opened(0, 4);
  using _ = tensorScope();
  const rng = Rng.seed(11);
  const noised = noiseBatch(batch.x0, schedule, rng);
  const apply = lora.on(unet);
  const output = unet.forward(noised.xt, noised.labels, batch.text, { lora: apply });
  const wanted = velocityLoss(output, noised).item();
  expect(stage.losses(batch, rng)["velocity"]!.item()).toBeCloseTo(wanted, 6);
});
