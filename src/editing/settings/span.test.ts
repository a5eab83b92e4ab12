import { describe, expect, test } from "vitest";
import type { EditedFrame } from "./edited-frame.ts";
import { framesWithin, isReached, parseSpan, withinSpan, type EditFrames } from "./span.ts";

/** What is known of a video of a hundred frames, 25 a second, or of so many. */
const infoOf = (frames: number | null) => ({ frames, averageFps: 25, durationSeconds: 4 });

const within = (text: string, frames: number | null = 100): number | null =>
  framesWithin(parseSpan(text).span, infoOf(frames));

describe("the frames of a span", () => {
  test.each([
    ["..", 100],
    ["10..", 90],
    ["..10", 10],
    ["20..50", 30],
    ["90..200", 10],
    ["200..300", 0],
    ["1s..2s", 25],
    ["0.05s..", 98], // shown from 0.04 s on: the next is the first after that
    ["..0.05s", 2],
    ["3.96s..4s", 1],
    ["50..3s", 25],
  ])("of %s are %i of a hundred", (text, count) => {
    expect(within(text)).toBe(count);
  });

  test("are unknown where the container does not tell how many there are", () => {
    expect(within("..10", null)).toBeNull();
  });

  test("are those that an edit finds, one after another", () => {
    for (const text of ["1s..2s", "0.05s..", "..0.05s", "0.08s..0.2s", "7..1.5s"]) {
      const { from, to } = parseSpan(text).span;
      const places = Array.from({ length: 100 }, (_, index) => ({ index, seconds: index / 25 }));
      const found = places.filter(
        (place) => (!from || isReached(from, place)) && !(to && isReached(to, place)),
      );
      expect(within(text), text).toBe(found.length);
    }
  });
});

test("a moment in seconds is reached by a picture whose clock is a millisecond short of it", () => {
  const moment = { unit: "seconds", at: 2 } as const;
  expect(isReached(moment, { index: 60, seconds: 1.999 })).toBe(true);
  expect(isReached(moment, { index: 59, seconds: 1.967 })).toBe(false);
});

/** Frames of one pixel, 25 a second, of a clip whose clock begins at ten seconds. */
async function* lateFrames(count: number): AsyncGenerator<EditedFrame, void, undefined> {
  for (let index = 0; index < count; index++) {
    const pixel = Uint8Array.of(0, 0, 0);
    yield {
      index,
      pts: BigInt(250 + index),
      duration: 1n,
      timeBase: { num: 1, den: 25 },
      ptsSeconds: 10 + index / 25,
      pixelAspect: 1,
      width: 1,
      height: 1,
      source: pixel,
      rgb: pixel,
      isEdited: false,
    };
  }
}

test("seconds count from the clip's first picture, whatever its clock says", async () => {
  const edit: EditFrames = async function* (frames) {
    for await (const frame of frames) yield { ...frame, isEdited: true };
  };
  const edited: number[] = [];
  for await (const frame of withinSpan(lateFrames(50), "0.4s..0.6s", edit, infoOf(50)))
    if (frame.isEdited) edited.push(frame.index);
  expect(edited).toEqual([10, 11, 12, 13, 14]);
});
