import { afterEach, describe, expect, test, vi } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { noisePicture } from "../../../test/support/noise-picture.ts";
import { SMALL_CLIP, SMALL_TOKENIZER, SMALL_VICLIP } from "../../../test/support/small-clip.ts";
import { useVirtualDevice, VIRTUAL_DEVICE } from "../../../test/support/virtual-device.ts";
import { setDefaultDevice } from "../../engine/device.ts";
import { ShapeError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { Clip } from "../../models/clip/clip.ts";
import { loadTokenizer } from "../../models/text-encoder/tokenizer.ts";
import { Viclip } from "../../models/viclip/viclip.ts";
import {
  clipImageFeatures,
  clipTextFeatures,
  viclipTextFeatures,
  viclipVideoFeatures,
} from "./clip-features.ts";

const tokenizer = loadTokenizer(SMALL_TOKENIZER, { maxPositions: 16 });
const smallClip = () => ({ network: new Clip(Rng.seed(1), SMALL_CLIP), tokenizer });
const smallViclip = () => ({ network: new Viclip(Rng.seed(2), SMALL_VICLIP), tokenizer });

afterEach(() => {
  setDefaultDevice("cpu");
  vi.restoreAllMocks();
});

describe("clipImageFeatures", () => {
  test("gives a vector per picture, of any size and number", () => {
    const clip = smallClip();
    const pictures = Array.from({ length: 11 }, (_, i) => noisePicture(30 + i, 41 - i));
    const all = clipImageFeatures(clip, pictures);
    expect(all.shape).toEqual([11, 12]);
    // sums of another batch size round differently
    const ninth = clipImageFeatures(clip, pictures.slice(9, 10));
    expect(largestDifference(all.narrow(0, 9, 1), ninth)).toBeLessThan(1e-5);
  });
});

describe("viclipVideoFeatures", () => {
  test("sees every n-th frame and no other", () => {
    const viclip = smallViclip();
    const frames = Array.from({ length: 16 }, (_, i) => noisePicture(20 + i, 24));
    const even = frames.filter((_, index) => index % 2 === 0);
    const seen = viclipVideoFeatures(viclip, frames);
    expect(seen.shape).toEqual([1, 12]);
    expect(largestDifference(seen, viclipVideoFeatures(viclip, even))).toBe(0);
    for (const place of [0, 6, 14]) {
      const other = viclipVideoFeatures(viclip, frames.with(place, noisePicture(9, 9)));
      expect(largestDifference(seen, other), `frame ${place}`).toBeGreaterThan(1e-3);
    }
  });

  test("refuses a video that is too short", () => {
    expect(() => viclipVideoFeatures(smallViclip(), [noisePicture(4, 4)])).toThrow(
      new ShapeError("expected a video of at least 8 frames for ViCLIP, got 1"),
    );
  });
});

test("texts that are too long lose their tail", () => {
  const long = "a red cat in the snow ".repeat(5);
  for (const read of [
    (text: string) => clipTextFeatures(smallClip(), text),
    (text: string) => viclipTextFeatures(smallViclip(), text),
  ]) {
    expect(largestDifference(read(long), read(`${long} fox`))).toBe(0);
    expect(largestDifference(read("a red cat"), read("a red fox"))).toBeGreaterThan(1e-3);
  }
});

test("features are computed where the networks are", () => {
  useVirtualDevice();
  const [clip, viclip] = [smallClip(), smallViclip()];
  const frames = Array.from({ length: 8 }, (_, i) => noisePicture(20 + i, 24));
  const found = [
    clipImageFeatures(clip, frames),
    clipTextFeatures(clip, "a red cat"),
    viclipVideoFeatures(viclip, frames),
    viclipTextFeatures(viclip, "a red cat"),
  ];
  expect(found.map(({ device }) => device)).toEqual(found.map(() => VIRTUAL_DEVICE));
});
