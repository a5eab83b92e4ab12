import { describe, expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { mostFrames, pagePlan, requirePageable } from "./page-limit.ts";
import { composeTiles, planTiles, TILES } from "./tiles.ts";

const roomy = { width: 4096, height: 2304 };

describe("tiles", () => {
  test.each([
    [1920, 1080],
    [1080, 1920],
    [101, 63],
    [1, 1],
  ])("of %i × %i keep their size, apart from each other and within the sheet", (width, height) => {
    const { sheet, tile, places } = planTiles({ width, height }, roomy);
    expect(tile).toEqual({ width, height });
    expect(sheet.width).toBeLessThanOrEqual(roomy.width);
    expect(sheet.height).toBeLessThanOrEqual(roomy.height);
    for (const name of TILES) {
      const { left, top } = places[name];
      expect(left + width).toBeLessThanOrEqual(sheet.width);
      expect(top + height).toBeLessThanOrEqual(sheet.height);
      for (const other of TILES.filter((one) => one !== name)) {
        const [x, y] = [Math.abs(places[other].left - left), Math.abs(places[other].top - top)];
        expect(x >= width || y >= height).toBe(true);
      }
    }
  });

  test("of larger pictures are as large as fits, in the same shape", () => {
    const { tile, sheet } = planTiles({ width: 3840, height: 2160 }, roomy);
    expect(tile.width).toBeGreaterThan(1900);
    expect(tile.width / tile.height).toBeCloseTo(16 / 9, 2);
    expect(sheet.width).toBeLessThanOrEqual(roomy.width);
  });

  test("hold their pictures exactly, with their edges repeated around them", () => {
    const size = { width: 3, height: 2 };
    const plan = planTiles(size, roomy);
    const picture = (value: number) => new Uint8Array(18).map((_, at) => value + at);
    const pictures = { input: picture(0), result: picture(100), difference: picture(200) };
    const sheet = composeTiles(plan, pictures, size);
    const pixel = (x: number, y: number) => sheet[(y * plan.sheet.width + x) * 3];
    for (const name of TILES) {
      const { left, top } = plan.places[name];
      const at = (x: number, y: number) => pixel(left + x, top + y);
      expect([at(0, 0), at(2, 1)]).toEqual([pictures[name][0], pictures[name][15]]);
      expect([at(-8, -8), at(-1, 0), at(0, -1)]).toEqual(Array(3).fill(pictures[name][0]));
      expect([at(3, 1), at(2, 2), at(7, 7)]).toEqual(Array(3).fill(pictures[name][15]));
    }
  });
});

describe("the limit of a page", () => {
  test("counts frames by the size at which they are stored", () => {
    expect(mostFrames({ width: 1920, height: 1080 })).toBe(482);
    expect(mostFrames({ width: 512, height: 512 })).toBe(3814);
    expect(mostFrames({ width: 7680, height: 4320 })).toBeGreaterThan(400);
  });

  test("is a sentence that says what to do instead", () => {
    const size = { width: 1920, height: 1080 };
    expect(() => requirePageable("both.html", 483, size)).toThrow(
      new UserError(
        "both.html: a page holds at most 482 frames of 1920 × 1080, and 483 are edited: " +
          "compare in a video (.mp4), or edit fewer frames at a time, such as 0..482",
      ),
    );
    requirePageable("both.html", 482, size);
  });

  test("leaves a single picture more pixels", () => {
    const size = { width: 4000, height: 3000 };
    expect(pagePlan(size, false).tile).toEqual(size);
    expect(pagePlan(size, true).tile.width).toBeLessThan(2000);
  });
});
