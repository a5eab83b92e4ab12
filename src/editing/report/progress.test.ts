import { describe, expect, test } from "vitest";
import { ProgressMeter, totalWork, type EditExtent } from "./progress.ts";

/** A meter of eight frames in two steps, of two windows of four, and a clock in seconds. */
function metered(own: Partial<EditExtent> = {}): {
  readonly meter: ProgressMeter;
  readonly pass: (seconds: number) => void;
} {
  let milliseconds = 5000;
  const extent = { frames: 8, steps: 2, work: 16, ...own };
  const meter = new ProgressMeter(extent, () => milliseconds);
  return { meter, pass: (seconds) => (milliseconds += 1000 * seconds) };
}

describe("the time that is left of an edit", () => {
  test("is what has passed for each part of the work that is done, in seconds", () => {
    const { meter, pass } = metered();
    pass(3);
    expect(meter.step(1, 4)).toMatchObject({ step: 1, steps: 2, frame: 0, etaSeconds: 9 });
    pass(3);
    expect(meter.step(2, 4).etaSeconds).toBe(6);
    pass(2);
    expect(meter.frameDone()).toMatchObject({ frame: 1, frames: 8, etaSeconds: 8 });
  });

  test("is not told by the first frame alone, nor where nobody knows how many frames there are", () => {
    const { meter, pass } = metered();
    pass(1);
    for (const step of [1, 2]) expect(meter.step(step, 1)).not.toHaveProperty("etaSeconds");
    expect(meter.step(1, 4)).toHaveProperty("etaSeconds");
    const endless = metered({ frames: null, work: null });
    endless.pass(1);
    const event = endless.meter.step(2, 4);
    expect(event).not.toHaveProperty("etaSeconds");
    expect(event).not.toHaveProperty("frames");
  });

  test("does not count windows that were edited before", () => {
    const { meter, pass } = metered();
    meter.skip(4);
    pass(3);
    expect(meter.step(1, 4).etaSeconds).toBe(3);
    pass(3);
    expect(meter.step(2, 4).etaSeconds).toBe(0);
  });
});

describe("the work of an edit", () => {
  const settings = { window: 4, overlap: 1, steps: 3 } as const;

  test("is each step of each window's frames, and of the first frame by itself where they are edited together", () => {
    expect(totalWork(7, { ...settings, method: "aligned" })).toBe(3 * (4 + 4 + 1));
    expect(totalWork(4, { ...settings, method: "stacked" })).toBe(3 * (4 + 1));
    expect(totalWork(1, { ...settings, method: "stacked" })).toBe(3);
    expect(totalWork(7, { ...settings, overlap: 0, method: "frame-by-frame" })).toBe(3 * 7);
  });
});
