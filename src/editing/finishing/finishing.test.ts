import { describe, expect, test } from "vitest";
import { byteTensor } from "../../data/byte-pictures.ts";
import { Finishing, type Drawn, type FinishedModel, type FinishingSettings } from "./finishing.ts";
import { fittedSquare, type SourceFrame } from "./square.ts";

const size = 32;
const model: FinishedModel = { size };

/** A slope of grays at `width × height`, another in each frame of the clip. */
function slope(index: number, width = size, height = size): SourceFrame {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => 60 + index + (at % 97));
  return { rgb, width, height };
}

/** What a model drew that carries the picture whole, `by` brighter. */
function brighter(picture: Uint8Array, by: number): Drawn {
  return {
    edited: byteTensor(picture.map((value) => value + by)),
    reconstruction: byteTensor(picture),
  };
}

/** The clip in groups of `length` frames. */
function finishedClip(
  settings: FinishingSettings,
  frames: readonly SourceFrame[],
  { drawn, length = frames.length }: { drawn: readonly Drawn[]; length?: number },
): Uint8Array[] {
  const finishing = new Finishing(model, settings);
  const ready = Array.from({ length: Math.ceil(frames.length / length) }, (_, group) => {
    const [from, to] = [group * length, (group + 1) * length];
    const own = frames.slice(from, to);
    const squares = own.map((frame, index) =>
      finishing.square(fittedSquare(frame, size), drawn[from + index]!),
    );
    return finishing.next(own, squares).map(({ finish }) => finish());
  });
  return [...ready.flat(), ...finishing.rest().map(({ finish }) => finish())];
}

const settings = (["on", "off"] as const).map(
  (deflicker) => ({ detail: "keep", deflicker }) as const,
);

describe.each(settings)("with flicker filtered $deflicker", (chosen) => {
  test("frames that the edit leaves alone come back bit for bit, of any size", () => {
    for (const [width, height] of [
      [size, size],
      [80, 48],
    ] as const) {
      const frames = Array.from({ length: 7 }, (_, index) => slope(index, width, height));
      const gray = byteTensor(new Uint8Array(size * size * 3).fill(90));
      const drawn = frames.map(() => ({ edited: gray, reconstruction: gray }));
      expect(finishedClip(chosen, frames, { drawn })).toEqual(frames.map(({ rgb }) => rgb));
    }
  });

  test("frames that come in stay whole, and each result has its own bytes", () => {
    const frames = Array.from({ length: 12 }, (_, index) => slope(index));
    const copies = frames.map(({ rgb }) => rgb.slice());
    const drawn = frames.map(({ rgb }, index) => brighter(rgb, index % 3 === 0 ? 0 : 30));
    const finished = finishedClip(chosen, frames, { drawn, length: 4 });
    expect(finished.map(({ length }) => length)).toEqual(frames.map(({ rgb }) => rgb.length));
    expect(
      new Set([...finished, ...frames.map(({ rgb }) => rgb)].map(({ buffer }) => buffer)).size,
    ).toBe(24);
    expect(frames.map(({ rgb }) => rgb)).toEqual(copies);
  });

  test("the same comes of a clip in groups of any length", () => {
    const frames = Array.from({ length: 11 }, () => slope(0));
    const drawn = frames.map(({ rgb }, index) => brighter(rgb, 90 + 5 * (index % 2)));
    const whole = finishedClip(chosen, frames, { drawn });
    expect(finishedClip(chosen, frames, { drawn, length: 3 })).toEqual(whole);
    expect(finishedClip(chosen, frames, { drawn, length: 1 })).toEqual(whole);
  });
});

test("what trembles in an edit of a source that stands still is steadied, whatever the autoencoder makes of the source", () => {
  const frames = Array.from({ length: 9 }, () => slope(0));
  const drawn = frames.map(({ rgb }, index) => ({
    edited: byteTensor(rgb.map((value) => value + 90 + 8 * (index % 2))),
    reconstruction: byteTensor(rgb.map((value) => value - 12 * (index % 3))),
  }));
  const steps = (deflicker: "on" | "off"): number[] => {
    const clip = finishedClip({ detail: "off", deflicker }, frames, { drawn });
    const means = clip.map((frame) => frame.reduce((sum, value) => sum + value, 0) / frame.length);
    return means.slice(1).map((mean, index) => Math.abs(mean - means[index]!));
  };
  expect(Math.min(...steps("off"))).toBeGreaterThan(7.9);
  expect(Math.max(...steps("on").slice(1, -1))).toBeLessThan(2.5);
});
