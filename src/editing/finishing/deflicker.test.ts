import { describe, expect, test } from "vitest";
import { deflickered, type FrameInTime, FramesInTime } from "./deflicker.ts";
import type { SquarePicture } from "./square.ts";

const size = 16;
const options = { reach: 2, sourceScale: 0.06, editScale: 0.2 };

/** A picture of one gray. */
function gray(level: number): Uint8Array {
  return new Uint8Array(size * size * 3).fill(level);
}

function pictureOf(edited: number, source: number): SquarePicture {
  return { edited: gray(edited), source: gray(source) };
}

function inTime(clip: readonly SquarePicture[], chosen = options): FrameInTime[] {
  const frames = new FramesInTime(chosen);
  return [...frames.next(clip), ...frames.rest()];
}

/** The clip without its flicker. */
function steadied(clip: readonly SquarePicture[], chosen = options): Uint8Array[] {
  return inTime(clip, chosen).map((one) => deflickered(one, size, chosen));
}

/** One value of each frame. */
function levels(pictures: readonly Uint8Array[], at = 0): number[] {
  return pictures.map((picture) => picture[at]!);
}

/** Mean difference from a frame to the next. */
function flicker(values: readonly number[]): number {
  const steps = values.slice(1).map((value, index) => Math.abs(value - values[index]!));
  return steps.reduce((sum, step) => sum + step, 0) / steps.length;
}

describe("deflickered", () => {
  test("is the weighted mean of a place over time, by its formula", () => {
    const clip = [pictureOf(200, 40), pictureOf(206, 41), pictureOf(197, 40)];
    const { reach, sourceScale, editScale } = options;
    const weight = (apart: number, source: number, edit: number): number =>
      Math.exp(-((apart / (0.75 * reach)) ** 2) / 2) *
      Math.exp(-((source / 255 / sourceScale) ** 2)) *
      Math.exp(-((edit / 255 / editScale) ** 2));
    const weights = [weight(1, 1, 6), 1, weight(1, 1, 9)];
    const sum = 200 * weights[0]! + 206 + 197 * weights[2]!;
    const expected = sum / (weights[0]! + 1 + weights[2]!);
    expect(steadied(clip)[1]).toEqual(gray(Math.round(expected)));
  });

  test.each([
    // what replaced its source takes nothing of it; an edit of 2 lets its source's change through
    ["has replaced its source", [200, 90, 160], [40, 230, 20], 0],
    ["lets its source show", [52, 92, 32], [50, 90, 30], 1],
  ])("counts all channels of an edit that %s", (_, edited, source, shown) => {
    const colour = (channels: readonly number[]): Uint8Array =>
      Uint8Array.from({ length: size * size * 3 }, (__, at) => channels[at % 3]!);
    const moved = (channels: readonly number[], by: readonly number[]): number[] =>
      channels.map((value, channel) => value + by[channel]!);
    const ofSource = [3, -7, 9];
    const ofEdit = [-25, 14, 50];
    const other = [moved(edited, ofEdit), moved(source, ofSource)] as const;
    const clip = [
      { edited: colour(edited), source: colour(source) },
      { edited: colour(other[0]), source: colour(other[1]) },
    ];
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + Math.abs(value), 0) / 3 / 255;
    const { reach, sourceScale, editScale } = options;
    const weight =
      Math.exp(-((1 / (0.75 * reach)) ** 2) / 2) *
      Math.exp(-((mean(ofSource) / sourceScale) ** 2)) *
      Math.exp(-((mean(ofEdit) / editScale) ** 2));
    const wanted = edited.map((value, channel) => {
      const brought = other[0][channel]! - shown * ofSource[channel]!;
      return Math.round((value + weight * brought) / (1 + weight));
    });
    expect(steadied(clip)[0]).toEqual(colour(wanted));
  });

  test("counts a little what is far", () => {
    const clip = [pictureOf(100, 40), pictureOf(200, 40)];
    const weight = Math.exp(-(1 / 1.5 ** 2) / 2) * Math.exp(-((100 / 255 / 0.2) ** 2));
    const wanted = Math.round(100 + (weight * 100) / (1 + weight));
    expect(wanted).toBe(102);
    expect(steadied(clip)[0]).toEqual(gray(wanted));
  });

  test("steadies an edit that trembles where the source stands still", () => {
    const clip = [0, 8, -8, 8, -8, 0].map((tremble) => pictureOf(180 + tremble, 40));
    const steady = levels(steadied(clip));
    expect(flicker(steady)).toBeLessThan(0.5 * flicker(levels(clip.map(({ edited }) => edited))));
  });

  test("leaves a place alone where the source moved", () => {
    const clip = [pictureOf(180, 20), pictureOf(190, 200), pictureOf(180, 20)];
    expect(steadied(clip)[1]).toEqual(gray(190));
  });

  test("leaves a place alone where the edit moved", () => {
    const clip = [pictureOf(20, 90), pictureOf(240, 90), pictureOf(20, 90)];
    expect(steadied(clip)[1]).toEqual(gray(240));
  });

  test("follows the light of a source that still shows", () => {
    const clip = [0, 3, 6, 9, 12].map((light) => pictureOf(100 + light, 100 + light));
    const touched = clip.map(({ edited, source }) => ({
      edited: edited.map((value) => value + 2),
      source,
    }));
    expect(levels(steadied(touched))).toEqual([102, 105, 108, 111, 114]);
  });

  test("does not lay the light of a source over what has replaced it", () => {
    const clip = [0, 4, 8, 4, 0].map((light) => pictureOf(230, 20 + light));
    expect(levels(steadied(clip))).toEqual([230, 230, 230, 230, 230]);
  });

  test("gives back the very bytes where the edit changes nothing", () => {
    const clip = [pictureOf(40, 40), pictureOf(43, 43)];
    const pictures = steadied(clip);
    for (const [index, { edited }] of clip.entries()) expect(pictures[index]).toBe(edited);
  });

  test("keeps a single frame as it is", () => {
    expect(steadied([pictureOf(200, 40)])).toEqual([gray(200)]);
  });

  test("judges every pixel by itself", () => {
    const moving = pictureOf(180, 40);
    moving.source.fill(250, 0, 3);
    const clip = [pictureOf(188, 40), moving, pictureOf(188, 40)];
    const [, middle] = steadied(clip);
    expect(middle!.slice(0, 3)).toEqual(new Uint8Array(3).fill(180));
    expect(middle![3]).toBeGreaterThan(183);
  });
});

describe("FramesInTime", () => {
  const clip = Array.from({ length: 9 }, (_, index) => pictureOf(100 + index, 40));

  test("shows a frame those around it, however the clip is cut into groups", () => {
    for (const cuts of [[9], [4, 6, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9], [8, 9]]) {
      const frames = new FramesInTime({ reach: 2 });
      const groups = cuts.map((end, index) => clip.slice(cuts[index - 1] ?? 0, end));
      const shown = [...groups.flatMap((group) => frames.next(group)), ...frames.rest()];
      expect(shown).toEqual(
        clip.map((_, index) => ({
          pictures: clip.slice(Math.max(0, index - 2), index + 3),
          at: Math.min(index, 2),
        })),
      );
    }
  });

  test("holds back no more frames than the reach", () => {
    const frames = new FramesInTime({ reach: 3 });
    const counts = [clip.slice(0, 2), clip.slice(2, 5), clip.slice(5)].map(
      (group) => frames.next(group).length,
    );
    expect(counts).toEqual([0, 2, 4]);
    expect(frames.rest()).toHaveLength(3);
    expect(frames.rest()).toEqual([]);
  });
});
