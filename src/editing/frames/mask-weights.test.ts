import { describe, expect, test } from "vitest";
import { blended, maskWeights } from "./mask-weights.ts";

/** A picture of one line, a grey level for each pixel. */
function line(...levels: number[]): Uint8Array {
  return Uint8Array.from(levels.flatMap((level) => [level, level, level]));
}

describe("maskWeights", () => {
  test("is all where the mask is white, nothing where it is black, and knows no grey", () => {
    expect([...maskWeights(line(0, 127, 128, 255), 4, 1)]).toEqual([0, 0, 255, 255]);
  });

  test("fades in inside the white only, over as many pixels as it is told", () => {
    const weights = maskWeights(line(0, 255, 255, 255, 255, 0, 255), 7, 1, 2);
    expect([...weights]).toEqual([0, 85, 170, 170, 85, 0, 85]);
  });

  test("takes the border of the picture for no edge", () => {
    expect([...maskWeights(line(255, 255, 255), 3, 1, 5)]).toEqual([255, 255, 255]);
  });

  test("measures distances in all directions", () => {
    const white = new Uint8Array(9 * 9 * 3).fill(255);
    white.fill(0, (4 * 9 + 4) * 3, (4 * 9 + 4) * 3 + 3);
    const weights = maskWeights(white, 9, 9, 9);
    const at = (x: number, y: number) => weights[y * 9 + x]!;
    expect(at(4, 4)).toBe(0);
    expect([at(3, 4), at(5, 4), at(4, 3), at(4, 5)]).toEqual([26, 26, 26, 26]); // 255 · 1/10
    expect([at(3, 3), at(5, 5), at(3, 5), at(5, 3)]).toEqual([36, 36, 36, 36]); // 255 · √2/10
  });
});

describe("blended", () => {
  test("keeps every byte of the source where the weight is 0, and takes the edit's where it is 255", () => {
    const [source, edited] = [line(10, 20, 30), line(200, 201, 203)];
    expect(blended(source, edited, Uint8Array.of(0, 255, 51))).toEqual(line(10, 201, 65));
  });
});
