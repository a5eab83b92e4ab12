import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openFrameCache } from "../../data/caches/frame-cache.ts";
import { unitRange } from "../../data/pixels.ts";
import { psnr } from "../../data/psnr.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { latentStride } from "../../models/vae/config.ts";
import { TrainConfig, type TrainConfigInput } from "../config.ts";
import { autoencoderStage, klDivergence } from "./autoencoder.ts";

const root = temporaryFolder();
const model = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const context = { signal: new AbortController().signal, progress: () => {} };

const open = async (stage: object, settings: Partial<TrainConfigInput> = {}) =>
  await autoencoderStage(
    model,
    TrainConfig.parse({ steps: 4, batch: 8, learningRate: 1e-2, ...settings, stage }),
    context,
  );

test("a latent is pulled towards a unit Gaussian by the divergence from it", () => {
  using _ = tensorScope();
  const of = (mean: number, variance: number): number =>
    klDivergence(Tensor.full([2], mean), Tensor.full([2], Math.log(variance))).item();
  expect(of(0, 1)).toBeCloseTo(0, 6);
  expect(of(3, 1)).toBeCloseTo(9 / 2, 5);
  expect(of(0, 4)).toBeCloseTo((4 - 1 - Math.log(4)) / 2, 5);
});

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

test("crops are of every place of every picture at which the encoder can see them whole", async () => {
  using _ = tensorScope();
  const [size, crop, pictures, batch] = [32, 16, 2, 600];
  const stage = await open({ size, crop, pictures, cache: root }, { batch });
  const crops = await stage.nextBatch(0, 0);
  const cache = await openFrameCache({ folder: root, split: "train", count: pictures, size });
  const all = cache.pixels([0, 1]);
  const stride = latentStride(model.config);
  const places = Array.from({ length: (size - crop) / stride + 1 }, (__, i) => stride * i);
  const digest = (pixels: Tensor): string =>
    createHash("sha256").update(new Uint8Array(pixels.toBytes())).digest("hex").slice(0, 8);
  const wanted = [0, 1].flatMap((picture) =>
    places.flatMap((top) =>
      places.map((left) =>
        digest(all.narrow(0, picture, 1).narrow(2, top, crop).narrow(3, left, crop)),
      ),
    ),
  );
  const found = Array.from({ length: batch }, (__, row) => digest(crops.narrow(0, row, 1)));
  expect(new Set(found)).toEqual(new Set(wanted));
});

test("held pictures are those of the validation split, there and back within [-1, 1]", async () => {
  const size = 32;
  const stage = await open({ size, crop: 16, pictures: 2, cache: root });
  const held = await openFrameCache({ folder: root, split: "validation", count: 64, size });
  const wanted = Array.from({ length: held.count }, (__, index) => {
    using _ = tensorScope();
    const pixels = held.pixels([index]);
    const drawn = noGrad(() => model.decode(model.latent(pixels)).clamp(-1, 1));
    return psnr(unitRange(drawn), unitRange(pixels));
  });
  const mean = wanted.reduce((sum, value) => sum + value, 0) / wanted.length;
  expect((await stage.validate!())["psnr"]).toBeCloseTo(mean, 6);
});
