import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openFrameCache } from "../data/caches/frame-cache.ts";
import { noGrad } from "../engine/autodiff.ts";
import { Rng } from "../engine/random.ts";
import { saveSafetensors } from "../engine/safetensors.ts";
import { tensorScope } from "../engine/scope.ts";
import { ModelFolder } from "../eve/model/model-folder.ts";
import { loadAutoencoder } from "../eve/model/parts.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { exportTinyPart } from "./tiny-export.ts";
import { TINY_AUTOENCODER } from "./tiny-networks.ts";

const root = temporaryFolder();

test("an exported autoencoder's latents have mean 0 and deviation 1 over pictures of the train split", async () => {
  const [run, cache] = [join(root, "run"), join(root, "pictures")];
  mkdirSync(join(run, "weights"), { recursive: true });
  const weights = new Autoencoder(Rng.seed(3), TINY_AUTOENCODER).parameters();
  saveSafetensors(join(run, "weights", "autoencoder.safetensors"), weights);
  writeFileSync(join(run, "receipt.json"), JSON.stringify({ stage: "autoencoder" }));
  const target = new ModelFolder(join(root, "model"));
  await exportTinyPart("autoencoder", run, target, { cache });
  expect(readdirSync(cache).map((name) => name.slice(0, 16))).toEqual(["frames-train-128"]);
  using _ = tensorScope();
  const options = { folder: cache, split: "train", count: 256, size: 128 } as const;
  const pictures = (await openFrameCache(options)).pixels(Array.from({ length: 64 }, (__, i) => i));
  const latents = noGrad(() => loadAutoencoder(target).latent(pictures));
  const centre = latents.mean([0, 2, 3], { keepDim: true });
  const deviation = latents.sub(centre).square().mean([0, 2, 3]).sqrt();
  // of a quarter of the pictures that the statistics are taken from
  for (const value of centre.toFloat32Array()) expect(Math.abs(value)).toBeLessThan(0.3);
  for (const value of deviation.toFloat32Array()) expect(Math.abs(value - 1)).toBeLessThan(0.3);
});
