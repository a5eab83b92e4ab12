import { describe, expect, test } from "vitest";
import type { EditedFrame } from "../settings/edited-frame.ts";
import { ChangeMeter } from "./change-meter.ts";

/** A frame of 2 × 1 pixels: grey levels of the source and of the result. */
function frame(
  index: number,
  source: readonly [number, number],
  result: readonly [number, number],
  isEdited = true,
): EditedFrame {
  const pixels = (levels: readonly number[]) =>
    Uint8Array.from(levels.flatMap((level) => [level, level, level]));
  return {
    index,
    pts: BigInt(index),
    duration: 1n,
    timeBase: { num: 1, den: 25 },
    ptsSeconds: index / 25,
    pixelAspect: 1,
    width: 2,
    height: 1,
    source: pixels(source),
    rgb: pixels(result),
    isEdited,
  };
}

describe("ChangeMeter", () => {
  test("measures difference, changed pixels and flicker of the edited frames alone", () => {
    const meter = new ChangeMeter();
    meter.add(frame(0, [0, 0], [255, 255], false));
    meter.add(frame(1, [100, 100], [100, 126]));
    meter.add(frame(2, [110, 100], [130, 125]));
    expect(meter.result()).toEqual({
      frames: 2,
      meanDifference: 17.75, // (26/2 + 45/2) / 2
      changedShare: 0.25, // 26 is a change, 25 is none
      flicker: { source: 5, result: 15.5 },
    });
  });

  test("draws where it changed: black for nothing, white from half the range on", () => {
    const meter = new ChangeMeter();
    expect(meter.map()).toBeUndefined();
    meter.add(frame(0, [10, 0], [10, 200]));
    meter.add(frame(1, [10, 0], [10, 120]));
    expect(meter.map()).toEqual({
      rgb: Uint8Array.of(0, 0, 0, 255, 255, 255),
      width: 2,
      height: 1,
    });
  });

  test("of no frame is nothing", () => {
    expect(new ChangeMeter().result()).toEqual({
      frames: 0,
      meanDifference: 0,
      changedShare: 0,
      flicker: { source: 0, result: 0 },
    });
  });
});
