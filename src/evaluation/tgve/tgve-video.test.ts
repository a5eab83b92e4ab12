import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_CLIP, SMALL_TOKENIZER, SMALL_VICLIP } from "../../../test/support/small-clip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { writeFrames } from "../../../test/support/tgve-miniature.ts";
import { DataError } from "../../engine/errors.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { Rng } from "../../engine/random.ts";
import { Clip } from "../../models/clip/clip.ts";
import { loadTokenizer } from "../../models/text-encoder/tokenizer.ts";
import { Viclip } from "../../models/viclip/viclip.ts";
import { clipImageFeatures, viclipVideoFeatures } from "./clip-features.ts";
import { requireFrames, seeVideo, tgveFrame } from "./tgve-video.ts";

const COUNT = 19;
const folder = temporaryFolder();
const tokenizer = loadTokenizer(SMALL_TOKENIZER, { maxPositions: 16 });
const clip = { network: new Clip(Rng.seed(1), SMALL_CLIP), tokenizer };
const viclip = { network: new Viclip(Rng.seed(3), SMALL_VICLIP), tokenizer };
let paths: readonly string[];

beforeAll(async () => {
  await writeFrames(folder, 3, { count: COUNT });
  paths = readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name));
});

test("CLIP sees every frame, and ViCLIP those at equal steps, also where it is alone", async () => {
  using held = new HeldTensors();
  const frames = await Promise.all(paths.map(tgveFrame));
  const both = await seeVideo(paths, { clip, viclip }, { held });
  expect(both.clip!.shape).toEqual([COUNT, 12]);
  // sums of another batch size round differently
  const last = clipImageFeatures(clip, frames.slice(-1));
  expect(largestDifference(both.clip!.narrow(0, COUNT - 1, 1), last)).toBeLessThan(1e-5);
  const wanted = viclipVideoFeatures(viclip, frames);
  expect(largestDifference(both.viclip!, wanted)).toBe(0);
  const alone = await seeVideo(paths, { viclip }, { held });
  expect(largestDifference(alone.viclip!, wanted)).toBe(0);
  expect([alone.clip, both.pick]).toEqual([null, null]);
});

test("a video needs two frames for CLIP, and as many as ViCLIP sees", () => {
  const first = paths.slice(0, 1);
  const sentence = (least: number): DataError =>
    new DataError(`${dirname(paths[0]!)}: expected at least ${least} frames, got 1`);
  expect(() => requireFrames(first, { clip })).toThrow(sentence(2));
  expect(() => requireFrames(first, { clip, viclip })).toThrow(sentence(8));
  expect(() => requireFrames(first, { pick: clip })).not.toThrow();
});
