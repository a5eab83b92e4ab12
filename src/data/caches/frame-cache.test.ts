import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { toBytes } from "../pixels.ts";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import { openFrameCache } from "./frame-cache.ts";
import { FRAME_SPAN, frameOf } from "./frame-number.ts";

const root = temporaryFolder();

test("frameOf spreads pictures evenly over the frames of a clip", () => {
  const counts = Array.from({ length: FRAME_SPAN }, () => 0);
  for (let index = 0; index < 100 * FRAME_SPAN; index++) counts[frameOf(index)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(90);
  expect(Math.max(...counts)).toBeLessThan(110);
});

describe("openFrameCache", () => {
  const options = {
    folder: join(root, "frames"),
    split: "validation",
    count: 3,
    size: 32,
  } as const;

  test("renders nothing twice, and leaves no half file where rendering stops", async () => {
    const stop = (): void => {
      throw new Error("stopped");
    };
    await expect(openFrameCache(options, stop)).rejects.toThrow("stopped");
    expect(readdirSync(options.folder)).toEqual([]);
    const progress: number[] = [];
    const cache = await openFrameCache(options, ({ done }) => progress.push(done));
    expect(progress).toEqual([3]);
    expect(cache.count).toBe(3);
    const again = await openFrameCache(options, stop);
    const wanted = [2, 0].map((i) =>
      Uint8Array.from(renderFrame(sampleScene("validation", i), frameOf(i), 32)),
    );
    expect(toBytes(again.pixels([2, 0]))).toEqual(wanted);
    expect(readdirSync(options.folder)).toHaveLength(1);
  });

  test("of another split, or of another size, is another", async () => {
    const folder = join(root, "apart");
    const first = async (own: { split?: "train" | "validation"; size?: number }) => {
      const cache = await openFrameCache({ ...options, folder, count: 1, ...own });
      return toBytes(cache.pixels([0]))[0]!;
    };
    for (const [split, size] of [
      ["validation", 32],
      ["train", 32],
      ["train", 16],
    ] as const) {
      const wanted = renderFrame(sampleScene(split, 0), frameOf(0), size);
      expect(await first({ split, size })).toEqual(Uint8Array.from(wanted));
    }
  });

  test("makes the folder that it is given", async () => {
    mkdirSync(join(root, "deep"));
    const folder = join(root, "deep", "deeper");
    expect((await openFrameCache({ ...options, folder, count: 1 })).count).toBe(1);
  });
});
