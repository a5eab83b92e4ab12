import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { latentStride } from "../../models/vae/config.ts";
import { TrainConfig, type TrainConfigInput } from "../config.ts";
import { autoencoderStage } from "./autoencoder.ts";

const root = temporaryFolder();
const model = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const context = { signal: new AbortController().signal, progress: () => {} };

const open = async (stage: object, settings: Partial<TrainConfigInput> = {}) =>
  await autoencoderStage(
    model,
    TrainConfig.parse({ steps: 4, batch: 8, learningRate: 1e-2, ...settings, stage }),
    context,
  );

describe("pictures that do not fit", () => {
  const cache = join(root, "nothing");
  const sides = { size: 32, pictures: 4, cache };

  test.each([
    [
      { crop: 64 },
      "stage.crop: expected a multiple of STRIDE pixels up to stage.size (32), got 64",
    ],
    [
      { crop: 17 },
      "stage.crop: expected a multiple of STRIDE pixels up to stage.size (32), got 17",
    ],
    [{ size: 33 }, "stage.size: expected a multiple of STRIDE pixels, got 33"],
  ])("are refused before any is drawn: %j", async (own, sentence) => {
    const stride = String(latentStride(model.config));
    await expect(open({ ...sides, crop: 16, ...own })).rejects.toThrow(
      sentence.replace("STRIDE", stride),
    );
    expect(existsSync(cache)).toBe(false);
  });
});

test.each([1, 2, 4, 8])("whole pictures are the same ones in %i parts", async (accumulate) => {
  using _ = tensorScope();
  // 2 whole pictures have as many pixels as 8 crops
  const sides = { size: 32, crop: 16, pictures: 8, wholeFrom: 0.5, cache: root };
  const [whole, split] = [await open(sides), await open(sides, { accumulate })];
  const parts = Array.from({ length: accumulate }, (__, part) => part);
  const counts = parts.map((part) => split.samplesIn!(3, part));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  const pictures = await Promise.all(parts.map(async (part) => await split.nextBatch(3, part)));
  expect(pictures.map(({ shape }) => shape[0])).toEqual(counts);
  const joined = Tensor.cat(pictures, 0);
  expect(largestDifference(joined, await whole.nextBatch(3, 0))).toBe(0);
  expect(parts.map((part) => split.samplesIn!(1, part))).toEqual(parts.map(() => 8 / accumulate));
});
