import { describe, expect, test } from "vitest";
import { renderFrame } from "./render.ts";
import { sampleScene } from "./sample.ts";
import { STYLES, type Style } from "./scene.ts";
import { STYLE_TRANSFORMS } from "./styles.ts";

const SIZE = 64;
type Drawn = Exclude<Style, "plain">;
const drawn = STYLES.filter((name) => name !== "plain");

/** A plain frame, and the same in a style. */
function frames(index: number, style: Drawn): { plain: Uint8Array; styled: Uint8Array } {
  const scene = { ...sampleScene("validation", index), style: "plain" } as const;
  const plain = renderFrame(scene, 0, SIZE);
  return { plain, styled: renderFrame({ ...scene, style }, 0, SIZE) };
}

/** All red bytes of a frame, all green ones and all blue ones. */
function channelsOf(rgb: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const channel = (wanted: number): Uint8Array => rgb.filter((_, at) => at % 3 === wanted);
  return [channel(0), channel(1), channel(2)];
}

const mean = (values: Uint8Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("a style", () => {
  test.each(drawn)("%s goes over the whole frame, things and background", (style) => {
    for (let index = 0; index < 4; index++) {
      const { plain, styled } = frames(index, style);
      expect(styled).toEqual(STYLE_TRANSFORMS[style](plain.slice(), SIZE));
      expect(styled).not.toEqual(plain);
    }
  });

  test("black and white has no colour, and sepia is brown", () => {
    for (let index = 0; index < 4; index++) {
      const [red, green, blue] = channelsOf(frames(index, "black-and-white").styled);
      expect([green, blue]).toEqual([red, red]);
      const sepia = channelsOf(frames(index, "sepia").styled);
      const isBrown = sepia[0].every((r, i) => r > sepia[1][i]! && sepia[1][i]! > sepia[2][i]!);
      expect(isBrown).toBe(true);
    }
  });

  test("pixel art has sixteen blocks across, each of one colour, and keeps the mean of each channel", () => {
    const block = SIZE / 16;
    for (let index = 0; index < 4; index++) {
      const { plain, styled } = frames(index, "pixel-art");
      const before = channelsOf(plain);
      for (const [channel, values] of channelsOf(styled).entries()) {
        const corners = values.map((_, i) => {
          const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
          return values[(y - (y % block)) * SIZE + x - (x % block)]!;
        });
        expect(values).toEqual(corners);
        expect(Math.abs(mean(values) - mean(before[channel]!))).toBeLessThan(1);
      }
    }
  });
});
