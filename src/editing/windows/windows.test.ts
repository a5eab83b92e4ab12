import { describe, expect, test } from "vitest";
import { inWindows, placeWindow, planWindows } from "./windows.ts";

const options = { window: 8, overlap: 2 };

describe("planWindows", () => {
  test("makes every frame new in exactly one window, whatever the length", () => {
    for (let frames = 1; frames <= 60; frames++) {
      const fresh = planWindows(frames, options).flatMap(({ start, known, length }) =>
        Array.from({ length: length - known }, (_, index) => start + known + index),
      );
      expect(fresh).toEqual(Array.from({ length: frames }, (_, index) => index));
    }
  });

  test("gives every window of a longer clip the full length and at least the overlap", () => {
    for (let frames = 8; frames <= 60; frames++) {
      for (const { start, known, length } of planWindows(frames, options)) {
        expect(length).toBe(8);
        expect(known).toBeGreaterThanOrEqual(start === 0 ? 0 : 2);
      }
    }
  });

  test("shifts the last window back where few frames are left", () => {
    expect(planWindows(9, options)).toEqual([
      { start: 0, known: 0, length: 8 },
      { start: 1, known: 7, length: 8 },
    ]);
  });

  test("shortens the only window of a short clip", () => {
    expect(planWindows(3, options)).toEqual([{ start: 0, known: 0, length: 3 }]);
  });

  test("overlaps nothing where frames are independent", () => {
    expect(planWindows(10, { window: 8, overlap: 0 })).toEqual([
      { start: 0, known: 0, length: 8 },
      { start: 8, known: 0, length: 2 },
    ]);
  });

  test("refuses more new frames than a window takes", () => {
    expect(() => placeWindow(8, 7, options)).toThrow("7 new frames fit a window");
  });
});

describe("inWindows", () => {
  async function* count(end: number) {
    for (let index = 0; index < end; index++) yield index;
  }

  test("groups a stream of unknown length as the plan does", async () => {
    for (const frames of [0, 1, 7, 8, 9, 14, 15, 33]) {
      const sizes: number[] = [];
      for await (const group of inWindows(count(frames), options)) sizes.push(group.length);
      const planned = planWindows(frames, options).map(({ known, length }) => length - known);
      expect(sizes).toEqual(planned);
    }
  });
});
