import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { setThreads } from "../../engine/settings.ts";
import { resolveVisionConfig } from "../../models/vision/config.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { TrainConfig } from "../config.ts";
import { startState, trainStep } from "../step.ts";
import { visionStage } from "./vision.ts";

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

test("the vision stage learns to sort pictures, and puts them neither all in one place nor everywhere", async () => {
  setThreads(1);
  const config = TrainConfig.parse({
    steps: 200,
    batch: 32,
    schedule: "cosine",
    learningRate: 2e-3,
    warmup: 10,
    precision: "float32",
    ema: 0,
    stage: {
      size: 32,
      pictures: 400,
      held: 64,
      localSize: 16,
      locals: 2,
      hidden: 32,
      bottleneck: 16,
      prototypes: 64,
      cache: join(temporaryFolder(), "cache"),
    },
  });
  const network = new VisionTransformer(
    Rng.seed(1),
    resolveVisionConfig({
      imageSize: 32,
      patchSize: 8,
      width: 32,
      layers: 2,
      heads: 2,
      expansion: 2,
    }),
  );
  const stage = await visionStage(network, config, { progress: () => {} });
  const state = startState(stage, config);
  const untrained = await stage.validate!();
  const losses: number[] = [];
  for (let step = 0; step < config.steps; step++) {
    const result = await trainStep(stage, config, state);
    if (result.type === "updated") losses.push(result.losses["distillation"]!);
  }
  expect(mean(losses.slice(-20))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
  const trained = await stage.validate!();
  expect(untrained["entropyOfMean"]).toBeLessThan(0.5);
  expect(trained["entropyOfMean"]).toBeGreaterThan(0.7);
  expect(trained["meanEntropy"]).toBeLessThan(trained["entropyOfMean"]! - 0.2);
  expect(trained["found"]).toBeGreaterThan(untrained["found"]!);
});
