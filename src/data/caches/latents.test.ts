import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { engineInfo } from "../../engine/settings.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import {
  BF16_BATCHES,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import { TASKS } from "../world/tasks.ts";
import { renderTriplet } from "../world/triplet.ts";
import { editAt } from "./triplet-items.ts";
import { frameOf } from "./frame-number.ts";
import { openClipLatents, openEditLatents } from "./latents.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { LatentSource } from "./world-source.ts";

const folder = temporaryFolder();
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const source: LatentSource = {
  folder,
  autoencoder,
  autoencoderHash: "abc",
  split: "validation",
  size: 32,
  count: 8,
};

describe("encodeFrames", () => {
  const frames = Array.from({ length: 33 }, (_, i) => renderFrame(sampleScene("train", 0), i, 16));

  test("gives every frame its latent, however many there are, and frees the rest", () => {
    using _ = tensorScope();
    const before = engineInfo().liveTensors;
    const latents = encodeFrames(autoencoder, frames, 16);
    expect(engineInfo().liveTensors).toBe(before + 1);
    expect(latents.shape).toEqual([33, 4, 4, 4]);
    const last = encodeFrames(autoencoder, frames.slice(32), 16);
    expect(relativeError(latents.narrow(0, 32, 1), last)).toBeLessThan(BF16_BATCHES);
  });
});

describe("edits", () => {
  test("hold the latents of both frames and the words, tasks taking turns", async () => {
    const cache = await openEditLatents(source);
    expect(Array.from({ length: 8 }, (_, i) => cache.text(i).task)).toEqual([...TASKS, TASKS[0]]);
    const request = editAt("validation", 5);
    const { task, instruction, inputCaption, outputCaption } = request;
    expect(cache.text(5)).toEqual({ task, instruction, inputCaption, outputCaption });
    const pair = renderTriplet(request, "validation", frameOf(5), 32);
    for (const side of ["before", "after"] as const) {
      const wanted = encodeFrames(autoencoder, [pair[side]], 32);
      expect(relativeError(cache.gather(side, [5]), wanted)).toBeLessThan(BF16_BATCHES);
    }
    const difference = largestDifference(cache.gather("before", [5]), cache.gather("after", [5]));
    expect(difference).toBeGreaterThan(0.02);
  });

  test("of the test split cannot be asked for, neither by type nor at run time", async () => {
    // @ts-expect-error the split of a source is never the test split
    const forbidden: LatentSource = { ...source, split: "test", count: 1 };
    await expect(openEditLatents(forbidden)).rejects.toThrow(ConfigError);
    await expect(openEditLatents(forbidden)).rejects.toThrow(/train and validation splits/);
  });
});

test("clips hold the latents of consecutive frames and the scene's caption", async () => {
  const cache = await openClipLatents({ ...source, count: 2 }, 3);
  const clip = cache.gather("clip", [1]);
  expect(clip.shape).toEqual([1, 3, 4, 8, 8]);
  const scene = sampleScene("validation", 1);
  const last = encodeFrames(autoencoder, [renderFrame(scene, frameOf(1) + 2, 32)], 32);
  expect(relativeError(clip.select(1, 2), last)).toBeLessThan(BF16_BATCHES);
  for (const { kind } of scene.objects.slice(0, 1)) expect(cache.text(1)).toContain(kind);
});

test("every split, size and autoencoder has a folder of its own", async () => {
  await openEditLatents({ ...source, split: "train", count: 1 });
  await openEditLatents({ ...source, autoencoderHash: "def", count: 1 });
  const kinds = readdirSync(folder).map((name) => name.replace(/-[0-9a-f]{12}-/, "-look-"));
  expect(kinds.toSorted()).toEqual([
    "clips3-validation-32-look-abc",
    "edits-test-32-look-abc",
    "edits-train-32-look-abc",
    "edits-validation-32-look-abc",
    "edits-validation-32-look-def",
  ]);
});
