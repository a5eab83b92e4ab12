import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClipFolder,
  clipColour,
  clipFolder,
  clipPicture,
  framesOf,
  makeClip,
} from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { turnUpright } from "./orientation.ts";
import { type DecodedFrame, readFrames } from "./reader.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("readFrames", () => {
  test.each(["mp4", "mov", "mkv", "webm", "avi", "gif"])(
    "gives the pictures of %s in colour",
    async (type) => {
      const path = folder.file(`colour.${type}`);
      await makeClip(path);
      const frames = await framesOf(path);
      expect(frames.map(({ index }) => index)).toEqual(
        Array.from({ length: 12 }, (_, index) => index),
      );
      for (const frame of frames) expectColour(frame, clipColour(frame.index));
    },
  );

  test("gives the timestamps and durations that the container states", async () => {
    const ticks = [0, 512, 1000, 2500, 2600, 5000, 5512, 9000, 9001, 12_000];
    const path = folder.file("variable.mp4");
    await makeClip(path, { ticks });
    const frames = await framesOf(path);
    expect(frames.map(({ pts }) => Number(pts))).toEqual(ticks);
    expect(frames[0]!.timeBase).toEqual({ num: 1, den: 12_800 });
    const gaps = ticks.map((tick, index) => (ticks[index + 1] ?? tick + 512) - tick);
    expect(frames.map(({ duration }) => Number(duration))).toEqual(gaps);
    expect(frames[3]!.ptsSeconds).toBeCloseTo(2500 / 12_800, 12);
  });

  test.each([
    { rotation: 90, mirrored: false },
    { rotation: 180, mirrored: false },
    { rotation: 270, mirrored: true },
  ] as const)("turns pictures upright: $rotation, mirrored $mirrored", async (orientation) => {
    const path = folder.file(`turned-${orientation.rotation}.mp4`);
    await makeClip(path, { displayMatrix: displayMatrixOf(orientation) });
    const { value: frame } = await readFrames(path).next();
    const expected = turnUpright(clipPicture(0, 64, 48), 64, 48, orientation);
    const isSideways = orientation.rotation !== 180;
    expect([frame!.width, frame!.height]).toEqual(isSideways ? [48, 64] : [64, 48]);
    expect(meanDifference(frame!.rgb, expected)).toBeLessThan(3);
  });

  test("tells the shape of pixels, as they are shown", async () => {
    const sampleAspectRatio = { num: 4, den: 3 };
    const shapeOf = async (
      own: Parameters<typeof makeClip>[1],
      options: Parameters<typeof readFrames>[1] = {},
    ): Promise<number> => {
      const path = folder.file("shape.mp4");
      await makeClip(path, { ticks: [0], ...own });
      for await (const { pixelAspect } of readFrames(path, options)) return pixelAspect;
      throw new Error("no frame");
    };
    expect(await shapeOf({ sampleAspectRatio })).toBeCloseTo(4 / 3, 9);
    const displayMatrix = displayMatrixOf({ rotation: 90, mirrored: false });
    expect(await shapeOf({ sampleAspectRatio, displayMatrix })).toBeCloseTo(3 / 4, 9);
    expect(await shapeOf({})).toBe(1);
    // as wide as it is shown, its pixels are squares
    const [width, height] = [48, 48];
    const wide = { width: 64, height };
    expect(await shapeOf({ sampleAspectRatio, width, height }, wide)).toBeCloseTo(1, 9);
  });

  test("reads at another size, keeping the aspect if one side is given", async () => {
    const path = folder.file("resized.mp4");
    await makeClip(path);
    const { value: frame } = await readFrames(path, { width: 32 }).next();
    expect([frame!.width, frame!.height, frame!.rgb.length]).toEqual([32, 24, 32 * 24 * 3]);
    expectColour(frame!, clipColour(0));
  });

  test("stops within a frame of an abort", async () => {
    const path = folder.file("aborted.mp4");
    await makeClip(path);
    const abort = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { index } of readFrames(path, { signal: abort.signal })) {
        seen.push(index);
        if (index === 4) abort.abort(new Error("enough"));
      }
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });
});

/** The lower right quarter is flat; a round trip through YUV 4:2:0 keeps it within 3 of 255. */
function expectColour({ rgb, width, height, index }: DecodedFrame, colour: readonly number[]) {
  const at = ((height - 4) * width + width - 4) * 3;
  colour.forEach((value, channel) => {
    const difference = Math.abs(rgb[at + channel]! - value);
    expect(difference, `frame ${index}, channel ${channel}`).toBeLessThanOrEqual(3);
  });
}

function meanDifference(left: Uint8Array, right: Uint8Array): number {
  const total = left.reduce((sum, value, index) => sum + Math.abs(value - right[index]!), 0);
  return total / left.length;
}
