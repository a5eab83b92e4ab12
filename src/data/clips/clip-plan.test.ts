import { describe, expect, test } from "vitest";
import { clipStarts, spanOf } from "./clip-plan.ts";

describe("the clips of a video", () => {
  test("are one in the middle", () => {
    expect(clipStarts(100, { frames: 8, stride: 1, clipsPerVideo: 1 })).toEqual([46]);
    expect(clipStarts(8, { frames: 8, stride: 1, clipsPerVideo: 1 })).toEqual([0]);
  });

  test("are each in the middle of its share", () => {
    expect(clipStarts(40, { frames: 8, stride: 1, clipsPerVideo: 2 })).toEqual([6, 26]);
  });

  test("are fewer than asked for where the video is short, and none where it is too short", () => {
    expect(clipStarts(17, { frames: 8, stride: 1, clipsPerVideo: 5 })).toHaveLength(2);
    expect(clipStarts(14, { frames: 8, stride: 2, clipsPerVideo: 1 })).toEqual([]);
    expect(clipStarts(0, { frames: 1, stride: 1, clipsPerVideo: 1 })).toEqual([]);
  });

  test("never overlap and never leave the video, whatever its length", () => {
    for (let length = 1; length < 130; length++) {
      for (const cut of [
        { frames: 4, stride: 3, clipsPerVideo: 7 },
        { frames: 8, stride: 1, clipsPerVideo: 64 },
        { frames: 1, stride: 5, clipsPerVideo: 3 },
      ]) {
        const starts = clipStarts(length, cut);
        const ends = starts.map((start) => start + spanOf(cut));
        for (const [i, start] of starts.entries()) {
          expect(start).toBeGreaterThanOrEqual(i === 0 ? 0 : ends[i - 1]!);
          expect(ends[i]).toBeLessThanOrEqual(length);
        }
      }
    }
  });
});
